/* SPDX-License-Identifier: GPL-2.0-or-later
 * SPDX-FileCopyrightText: The Omafon authors
 *
 * Wires between the lines of a simulated GPIO chip: contacts that join two lines, or a line and ground.
 *
 * gpio-sim knows pulls and levels, but no wire from one line to another, and lets a program's pull-up win over the
 * tester's ground. Here whatever the kernel does to a line (drive it, let it go, pull it) is followed at once by what
 * copper does: a line that is driven low wins over every pull it is joined with. Everything else is gpio-sim's own:
 * levels, edges, interrupts.
 *
 *   echo 17 9     > /sys/module/wires/parameters/join     a key goes down
 *   echo 23 54    > /sys/module/wires/parameters/part     the hook's contact to ground opens
 */
#include <linux/gpio/driver.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pinctrl/pinconf-generic.h>

#define LABEL "pinctrl-bcm2835"
#define GROUND 54
#define NODES (GROUND + 1)

static struct gpio_device *device;
static struct gpio_chip *chip, sim; /* the chip, and what it could do by itself */
static DEFINE_MUTEX(wiring);
static u64 joined[NODES]; /* which nodes a contact joins each with */
static u64 pulled_up, outputs, driven_high;

/* All nodes that hang together with `node`. */
static u64 wire_of(unsigned int node)
{
	u64 wire = BIT_ULL(node), looked_at = 0;

	while (wire != looked_at) {
		unsigned int next = __ffs64(wire & ~looked_at);

		looked_at |= BIT_ULL(next);
		wire |= joined[next];
	}
	return wire;
}

static bool is_high(u64 wire)
{
	if (wire & BIT_ULL(GROUND) || wire & outputs & ~driven_high)
		return false;
	return wire & (outputs | pulled_up);
}

static void settle(void)
{
	unsigned int line;

	for (line = 0; line < GROUND; line++) {
		bool high = is_high(wire_of(line));

		if (outputs & BIT_ULL(line) || sim.get(chip, line) == high)
			continue;
		sim.set_config(chip, line,
			       pinconf_to_config_packed(high ? PIN_CONFIG_BIAS_PULL_UP : PIN_CONFIG_BIAS_PULL_DOWN, 1));
	}
}

static void note(u64 *bits, unsigned int line, bool on)
{
	*bits = on ? *bits | BIT_ULL(line) : *bits & ~BIT_ULL(line);
}

static int let_go(struct gpio_chip *gc, unsigned int line)
{
	int result;

	guard(mutex)(&wiring);
	result = sim.direction_input(gc, line);
	note(&outputs, line, false);
	settle();
	return result;
}

static int drive(struct gpio_chip *gc, unsigned int line, int value)
{
	int result;

	guard(mutex)(&wiring);
	result = sim.direction_output(gc, line, value);
	note(&outputs, line, true);
	note(&driven_high, line, value);
	settle();
	return result;
}

static void set(struct gpio_chip *gc, unsigned int line, int value)
{
	guard(mutex)(&wiring);
	sim.set(gc, line, value);
	note(&driven_high, line, value);
	settle();
}

static void set_multiple(struct gpio_chip *gc, unsigned long *mask, unsigned long *bits)
{
	guard(mutex)(&wiring);
	sim.set_multiple(gc, mask, bits);
	driven_high = (driven_high & ~*mask) | (*bits & *mask);
	settle();
}

static int set_config(struct gpio_chip *gc, unsigned int line, unsigned long config)
{
	enum pin_config_param wanted = pinconf_to_config_param(config);

	if (wanted != PIN_CONFIG_BIAS_PULL_UP && wanted != PIN_CONFIG_BIAS_PULL_DOWN)
		return sim.set_config(gc, line, config);
	guard(mutex)(&wiring);
	note(&pulled_up, line, wanted == PIN_CONFIG_BIAS_PULL_UP);
	settle();
	return 0;
}

/* As the Pi's chip does: a line that nobody has is an input. */
static void give_back(struct gpio_chip *gc, unsigned int line)
{
	guard(mutex)(&wiring);
	sim.direction_input(gc, line);
	sim.free(gc, line);
	note(&outputs, line, false);
	settle();
}

static int contact(const char *text, bool closed)
{
	unsigned int one, other;

	if (sscanf(text, "%u %u", &one, &other) != 2 || one >= NODES || other >= NODES || !chip)
		return -EINVAL;
	guard(mutex)(&wiring);
	note(&joined[one], other, closed);
	note(&joined[other], one, closed);
	settle();
	return 0;
}

static int join(const char *text, const struct kernel_param *parameter)
{
	return contact(text, true);
}

static int part(const char *text, const struct kernel_param *parameter)
{
	return contact(text, false);
}

module_param_cb(join, &((const struct kernel_param_ops){ .set = join }), NULL, 0200);
module_param_cb(part, &((const struct kernel_param_ops){ .set = part }), NULL, 0200);

static int __init begin(void)
{
	device = gpio_device_find_by_label(LABEL);
	if (!device)
		return -ENODEV;
	chip = gpio_device_get_chip(device);
	sim = *chip;
	chip->direction_input = let_go;
	chip->direction_output = drive;
	chip->set = set;
	chip->set_multiple = set_multiple;
	chip->set_config = set_config;
	chip->free = give_back;
	return 0;
}
module_init(begin);

/* Loaded for as long as the kernel runs: there is no exit. */
MODULE_DESCRIPTION("Wires between the lines of a gpio-sim chip");
MODULE_LICENSE("GPL");
