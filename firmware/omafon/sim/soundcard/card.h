/* SPDX-License-Identifier: GPL-2.0-or-later
 * SPDX-FileCopyrightText: The Omafon authors
 *
 * A sound card in shared memory: what the ALSA plugins (pcm.c, ctl.c) and card.py agree upon.
 *
 * The card has two mono rings of 16-bit frames at 48 kHz, the ear (playback) and the mouth (capture). Frame n is
 * the sample at monotonic time n / 48000 s, so both ends address sound by time alone: there is no write pointer to
 * share, no server, and no delay but the one a program's own buffers make. Beside the frames every block of 64
 * keeps the number of the block it was written for; a block left over from an earlier turn of the ring therefore
 * reads as silence.
 */
#ifndef OMAFON_CARD_H
#define OMAFON_CARD_H

#include <alsa/asoundlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CARD_MAGIC 0x63616d6fu /* "omac" */
#define CARD_LAYOUT 1u
#define RATE_HZ 48000
#define RING_FRAMES (1 << 20) /* 21.8 s */
#define BLOCK_FRAMES 64
#define RING_BLOCKS (RING_FRAMES / BLOCK_FRAMES)

enum { EAR, MOUTH, RINGS };
enum { PLAYBACK_VOLUME, PLAYBACK_SWITCH, CAPTURE_VOLUME, CAPTURE_SWITCH, SIDETONE_VOLUME, SIDETONE_SWITCH, CONTROLS };

struct ring {
    uint32_t block[RING_BLOCKS];
    int16_t frame[RING_FRAMES];
};

struct card {
    uint32_t magic;
    uint32_t layout;
    int32_t unplugged;
    uint32_t xruns[RINGS];
    int32_t control[CONTROLS];
    int32_t late; /* whether every program comes too late, whatever it does */
    uint8_t reserved[4096 - 4 * (4 + RINGS + CONTROLS)];
    struct ring ring[RINGS];
};

static inline int64_t frame_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * RATE_HZ + (int64_t)t.tv_nsec * 3 / 62500;
}

/* The first instant at which frame_now() has reached `frame`. */
static inline struct timespec time_of(int64_t frame)
{
    int64_t ns = ((frame % RATE_HZ) * 62500 + 2) / 3;
    return (struct timespec){.tv_sec = frame / RATE_HZ, .tv_nsec = ns};
}

static inline void put_frame(struct ring *ring, int64_t at, int16_t value)
{
    uint32_t number = (uint32_t)(at / BLOCK_FRAMES);
    int16_t *block = &ring->frame[at % RING_FRAMES / BLOCK_FRAMES * BLOCK_FRAMES];
    uint32_t *tag = &ring->block[number % RING_BLOCKS];
    if (*tag != number) {
        memset(block, 0, BLOCK_FRAMES * sizeof *block);
        /* A reader that sees the number must also see the silence under it. */
        __atomic_store_n(tag, number, __ATOMIC_RELEASE);
    }
    block[at % BLOCK_FRAMES] = value;
}

static inline int16_t get_frame(const struct ring *ring, int64_t at)
{
    uint32_t number = (uint32_t)(at / BLOCK_FRAMES);
    if (__atomic_load_n(&ring->block[number % RING_BLOCKS], __ATOMIC_ACQUIRE) != number)
        return 0;
    return ring->frame[at % RING_FRAMES];
}

/* Maps the card kept in the file `path`; the descriptor is left open in `*fd`.
 * Returns 0, or a negative errno: a card that is gone or unplugged is -ENODEV. */
static inline int open_card(const char *path, struct card **card, int *fd)
{
    struct stat status;
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? -ENODEV : -errno;
    if (fstat(*fd, &status) < 0 || status.st_size != (off_t)sizeof **card) {
        close(*fd);
        return -ENODEV;
    }
    *card = mmap(NULL, sizeof **card, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (*card == MAP_FAILED) {
        int error = -errno;
        close(*fd);
        return error;
    }
    if ((*card)->magic != CARD_MAGIC || (*card)->layout != CARD_LAYOUT || (*card)->unplugged) {
        munmap(*card, sizeof **card);
        close(*fd);
        return -ENODEV;
    }
    return 0;
}

/* The path a plugin's configuration names in its one field, `card`. Returns 0 or a negative errno. */
static inline int configured_path(snd_config_t *conf, const char **path)
{
    snd_config_iterator_t field, next;
    *path = NULL;
    snd_config_for_each(field, next, conf)
    {
        snd_config_t *node = snd_config_iterator_entry(field);
        const char *id;
        if (snd_config_get_id(node, &id) < 0 || !strcmp(id, "type") || !strcmp(id, "comment") || !strcmp(id, "hint"))
            continue;
        if (strcmp(id, "card") || snd_config_get_string(node, path) < 0) {
            SNDERR("omafon: field %s is unknown or not a string", id);
            return -EINVAL;
        }
    }
    if (!*path) {
        SNDERR("omafon: the field card is missing");
        return -EINVAL;
    }
    return 0;
}

#endif
