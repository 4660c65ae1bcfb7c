/* SPDX-License-Identifier: GPL-2.0-or-later
 * SPDX-FileCopyrightText: The Omafon authors
 *
 * A GPIO chip without a kernel: preloaded, it answers the calls of linux/gpio.h on every file called gpiochip0, and
 * joins the lines by contacts. What the driver sends is read by the kernel's own header.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 54, GROUND = LINES, FILES = 1024 };
#define EDGES (GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING)
#define BIAS (GPIO_V2_LINE_FLAG_BIAS_PULL_UP | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN | GPIO_V2_LINE_FLAG_BIAS_DISABLED)

struct line {
    __u64 flags;
    int driven, level;
    int fd, events; /* the file that works it, and the end of its pipe that edges are written to */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct line lines[LINES];
static int line_of[FILES];
static char joined[LINES + 1][LINES + 1];

__attribute__((constructor)) static void begin(void)
{
    for (int i = 0; i < LINES; i++)
        lines[i] = (struct line){.flags = GPIO_V2_LINE_FLAG_INPUT, .level = 1, .fd = -1, .events = -1};
    memset(line_of, -1, sizeof line_of);
}

static int drives(int line)
{
    return line == GROUND || lines[line].flags & GPIO_V2_LINE_FLAG_OUTPUT;
}

/* Lines without a driver are pulled up; a low one wins over every other. */
static int level_of(int line)
{
    int wire[LINES + 1], count = 0, driven = 0, level = 1;
    char seen[LINES + 1] = {0};
    wire[count++] = line;
    seen[line] = 1;
    for (int i = 0; i < count; i++) {
        if (drives(wire[i])) {
            driven = 1;
            level &= wire[i] == GROUND ? 0 : lines[wire[i]].driven;
        }
        for (int other = 0; other <= LINES; other++)
            if (!seen[other] && (joined[wire[i]][other] || joined[other][wire[i]])) {
                seen[other] = 1;
                wire[count++] = other;
            }
    }
    return driven ? level : 1;
}

static void settle(void)
{
    for (int i = 0; i < LINES; i++) {
        int level = level_of(i);
        if (level == lines[i].level)
            continue;
        lines[i].level = level;
        __u64 wanted = level ? GPIO_V2_LINE_FLAG_EDGE_RISING : GPIO_V2_LINE_FLAG_EDGE_FALLING;
        if (!(lines[i].flags & wanted))
            continue;
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        struct gpio_v2_line_event event = {
            .timestamp_ns = now.tv_sec * 1000000000ULL + now.tv_nsec,
            .id = level ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE,
            .offset = i,
        };
        if (write(lines[i].events, &event, sizeof event) < 0) { /* the driver does not read: the edge is lost */ }
    }
}

static int configure(int line, const struct gpio_v2_line_config *config)
{
    __u64 kept = config->flags & BIAS ? 0 : lines[line].flags & BIAS;
    if (config->flags & GPIO_V2_LINE_FLAG_OUTPUT && config->flags & (GPIO_V2_LINE_FLAG_INPUT | EDGES))
        return errno = EINVAL, -1;
    /* What is not announced must be zero. */
    static const struct gpio_v2_line_config zero;
    size_t announced = config->num_attrs * sizeof *config->attrs;
    if (memcmp(config->padding, zero.padding, sizeof zero.padding) ||
        memcmp((const char *)config->attrs + announced, zero.attrs, sizeof zero.attrs - announced))
        return errno = EINVAL, -1;
    lines[line].flags = config->flags | kept;
    for (__u32 i = 0; i < config->num_attrs; i++)
        if (config->attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES && config->attrs[i].mask & 1)
            lines[line].driven = config->attrs[i].attr.values & 1;
    settle();
    return 0;
}

static int request(struct gpio_v2_line_request *asked)
{
    int line = asked->offsets[0], ends[2];
    if (asked->num_lines != 1 || line >= LINES)
        return errno = EINVAL, -1;
    if (lines[line].fd >= 0)
        return errno = EBUSY, -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        return -1;
    lines[line].fd = asked->fd = ends[0];
    lines[line].events = ends[1];
    line_of[ends[0]] = line;
    return configure(line, &asked->config);
}

static int answer(int fd, unsigned long asked, void *value)
{
    int line = fd < FILES ? line_of[fd] : -1;
    switch (asked) {
    case GPIO_GET_CHIPINFO_IOCTL:
        *(struct gpiochip_info *)value = (struct gpiochip_info){.label = "pinctrl-bcm2835", .lines = LINES};
        return 0;
    case GPIO_V2_GET_LINE_IOCTL:
        return request(value);
    case GPIO_V2_LINE_SET_CONFIG_IOCTL:
        return configure(line, value);
    case GPIO_V2_LINE_GET_VALUES_IOCTL:
        ((struct gpio_v2_line_values *)value)->bits = lines[line].level;
        return 0;
    case GPIO_V2_LINE_SET_VALUES_IOCTL:
        lines[line].driven = ((struct gpio_v2_line_values *)value)->bits & 1;
        settle();
        return 0;
    default:
        return errno = ENOTTY, -1;
    }
}

/* What a test does to the wires. */

void chip_join(int one, int other, int closed)
{
    pthread_mutex_lock(&lock);
    joined[one][other] = closed;
    settle();
    pthread_mutex_unlock(&lock);
}

int chip_level(int line)
{
    return lines[line].level;
}

/* What the driver calls. */

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    if (strstr(path, "/gpiochip0"))
        return eventfd(0, EFD_CLOEXEC);
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    return open64(path, flags, mode);
}

int close(int fd)
{
    int (*real)(int) = dlsym(RTLD_NEXT, "close");
    pthread_mutex_lock(&lock);
    int line = fd >= 0 && fd < FILES ? line_of[fd] : -1;
    if (line >= 0) {
        real(lines[line].events);
        lines[line] = (struct line){.flags = GPIO_V2_LINE_FLAG_INPUT, .level = 1, .fd = -1, .events = -1};
        line_of[fd] = -1;
        settle();
    }
    pthread_mutex_unlock(&lock);
    return real(fd);
}

int ioctl(int fd, unsigned long asked, ...)
{
    va_list rest;
    va_start(rest, asked);
    void *value = va_arg(rest, void *);
    va_end(rest);
    asked &= 0xffffffff;
    if (_IOC_TYPE(asked) != 0xB4) {
        int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
        return real(fd, asked, value);
    }
    pthread_mutex_lock(&lock);
    int result = answer(fd, asked, value);
    pthread_mutex_unlock(&lock);
    return result;
}
