# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
#
# Starts a slot, for U-Boot; the same on a Raspberry Pi and on an emulated machine. U-Boot says where it found this:
# ${devtype} ${devnum}:${distro_bootpart}. Compiled into boot.scr.
#
# slots.txt holds who may be tried and how often each may still fail (see /usr/lib/omafon/slots). It is written before the
# kernel is loaded. Whatever is wrong with it, a power cut in the middle of writing it or a file that is gone: both may
# be tried again.
setenv disk_id 6f6d6166
setenv BOOT_ORDER
setenv BOOT_A_LEFT
setenv BOOT_B_LEFT
if load ${devtype} ${devnum}:${distro_bootpart} ${loadaddr} slots.txt; then
    env import -t ${loadaddr} ${filesize} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fi
if test -z "${BOOT_ORDER}" -o -z "${BOOT_A_LEFT}" -o -z "${BOOT_B_LEFT}"; then
    echo "omafon: no counters, beginning anew"
    setenv BOOT_ORDER "A B"
    setenv BOOT_A_LEFT 3
    setenv BOOT_B_LEFT 3
fi

setenv slot
for each in ${BOOT_ORDER}; do
    if test -n "${slot}"; then
        true
    elif test "${each}" = A && itest ${BOOT_A_LEFT} -gt 0; then
        setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
        setenv slot A
        setenv slot_partition 2
    elif test "${each}" = B && itest ${BOOT_B_LEFT} -gt 0; then
        setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
        setenv slot B
        setenv slot_partition 3
    fi
done
if test -z "${slot}"; then
    echo "omafon: no slot is left, both may be tried again"
    setenv BOOT_A_LEFT 3
    setenv BOOT_B_LEFT 3
fi
env export -t ${loadaddr} BOOT_A_LEFT BOOT_B_LEFT BOOT_ORDER
# Without the zero at its end: the file keeps its size, so only one sector of the card is written, which is old or new.
setexpr filesize ${filesize} - 1
fatwrite ${devtype} ${devnum}:${distro_bootpart} ${loadaddr} slots.txt ${filesize}
if test -z "${slot}"; then
    reset
fi

echo "omafon: slot ${slot}"
setenv bootargs "root=PARTUUID=${disk_id}-0${slot_partition} ro rootwait panic=10 rauc.slot=${slot} ${omafon_extra}"
if load ${devtype} ${devnum}:${slot_partition} ${kernel_addr_r} /boot/vmlinuz && load ${devtype} ${devnum}:${slot_partition} ${ramdisk_addr_r} /boot/initrd.img; then
    booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}
fi
# The next try counts as well, until it is the other slot's turn.
reset
