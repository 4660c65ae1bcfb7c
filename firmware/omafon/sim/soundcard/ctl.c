/* SPDX-License-Identifier: GPL-2.0-or-later
 * SPDX-FileCopyrightText: The Omafon authors
 *
 * The mixer half of the virtual sound card: an ALSA control plugin, `type omafon`, with the elements a USB handset
 * has. Values live in the card, so every program that opens its mixer sees what the others set.
 */
#include "card.h"

#include <alsa/control_external.h>
#include <stdlib.h>

struct mixer {
    snd_ctl_ext_t ext;
    struct card *card;
    int card_fd;
};

/* In the order of the card's controls. The side tone is the microphone heard in the own ear. */
static const char *const names[CONTROLS] = {
    "Master Playback Volume", "Master Playback Switch", "Capture Volume",
    "Capture Switch",         "Mic Playback Volume",    "Mic Playback Switch",
};

/* Playback and side tone tell their decibels; the microphone, like many, does not. The volume is an amplitude. */
static unsigned int decibels[] = {SND_CTL_TLVT_DB_LINEAR, 2 * sizeof(unsigned int),
                                  (unsigned int)SND_CTL_TLV_DB_GAIN_MUTE, 0};

static int is_switch(snd_ctl_ext_key_t key)
{
    return key == PLAYBACK_SWITCH || key == CAPTURE_SWITCH || key == SIDETONE_SWITCH;
}

static int elem_count(snd_ctl_ext_t *ext)
{
    (void)ext;
    return CONTROLS;
}

static int elem_list(snd_ctl_ext_t *ext, unsigned int offset, snd_ctl_elem_id_t *id)
{
    (void)ext;
    if (offset >= CONTROLS)
        return -EINVAL;
    snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
    snd_ctl_elem_id_set_name(id, names[offset]);
    return 0;
}

static snd_ctl_ext_key_t find_elem(snd_ctl_ext_t *ext, const snd_ctl_elem_id_t *id)
{
    unsigned int number = snd_ctl_elem_id_get_numid(id);
    (void)ext;
    if (number > 0 && number <= CONTROLS)
        return number - 1;
    for (unsigned int key = 0; key < CONTROLS; key++)
        if (!strcmp(snd_ctl_elem_id_get_name(id), names[key]))
            return key;
    return SND_CTL_EXT_KEY_NOT_FOUND;
}

static int get_attribute(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int *type, unsigned int *access,
                         unsigned int *count)
{
    (void)ext;
    *type = is_switch(key) ? SND_CTL_ELEM_TYPE_BOOLEAN : SND_CTL_ELEM_TYPE_INTEGER;
    *access = SND_CTL_EXT_ACCESS_READWRITE;
    if (key == PLAYBACK_VOLUME || key == SIDETONE_VOLUME)
        *access |= SND_CTL_EXT_ACCESS_TLV_READ;
    *count = 1;
    return 0;
}

static int get_integer_info(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *min, long *max, long *step)
{
    (void)ext;
    *min = 0;
    *max = is_switch(key) ? 1 : 100;
    *step = 1;
    return 0;
}

static int read_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *value)
{
    struct mixer *mixer = ext->private_data;
    if (mixer->card->unplugged)
        return -ENODEV;
    *value = mixer->card->control[key];
    return 0;
}

/* Returns 1 when the value changed, 0 when it was so already. */
static int write_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *value)
{
    struct mixer *mixer = ext->private_data;
    if (mixer->card->unplugged)
        return -ENODEV;
    if (*value < 0 || *value > (is_switch(key) ? 1 : 100))
        return -EINVAL;
    return __atomic_exchange_n(&mixer->card->control[key], (int32_t)*value, __ATOMIC_RELAXED) != *value;
}

static int read_event(snd_ctl_ext_t *ext, snd_ctl_elem_id_t *id, unsigned int *mask)
{
    (void)ext;
    (void)id;
    (void)mask;
    return -EAGAIN;
}

static void close_mixer(snd_ctl_ext_t *ext)
{
    struct mixer *mixer = ext->private_data;
    munmap(mixer->card, sizeof *mixer->card);
    close(mixer->card_fd);
    free(mixer);
}

static const snd_ctl_ext_callback_t callbacks = {
    .close = close_mixer,
    .elem_count = elem_count,
    .elem_list = elem_list,
    .find_elem = find_elem,
    .get_attribute = get_attribute,
    .get_integer_info = get_integer_info,
    .read_integer = read_integer,
    .write_integer = write_integer,
    .read_event = read_event,
};

SND_CTL_PLUGIN_DEFINE_FUNC(omafon)
{
    const char *path;
    int error;
    (void)root;

    if ((error = configured_path(conf, &path)) < 0)
        return error;
    struct mixer *mixer = calloc(1, sizeof *mixer);
    if (!mixer)
        return -ENOMEM;
    if ((error = open_card(path, &mixer->card, &mixer->card_fd)) < 0) {
        free(mixer);
        return error;
    }
    mixer->ext.version = SND_CTL_EXT_VERSION;
    mixer->ext.poll_fd = -1;
    mixer->ext.tlv.p = decibels;
    mixer->ext.callback = &callbacks;
    mixer->ext.private_data = mixer;
    strcpy(mixer->ext.id, "omafon");
    strcpy(mixer->ext.driver, "omafon");
    strcpy(mixer->ext.name, "Omafon virtual sound card");
    strcpy(mixer->ext.longname, "Omafon virtual sound card");
    strcpy(mixer->ext.mixername, "Omafon virtual sound card");
    if ((error = snd_ctl_ext_create(&mixer->ext, name, mode)) < 0) {
        close_mixer(&mixer->ext);
        return error;
    }
    *handlep = mixer->ext.handle;
    return 0;
}
SND_CTL_PLUGIN_SYMBOL(omafon);
