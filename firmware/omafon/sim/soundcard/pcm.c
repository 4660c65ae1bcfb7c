/* SPDX-License-Identifier: GPL-2.0-or-later
 * SPDX-FileCopyrightText: The Omafon authors
 *
 * The PCM half of the virtual sound card: an ALSA I/O plugin, `type omafon`, whose one field `card` is the path of
 * the shared memory. It behaves as a hardware card does: it runs by its own clock, a second opener of a direction
 * is told EBUSY, late programs get xruns, and a card that is unplugged is ENODEV.
 */
#include "card.h"

#include <alsa/pcm_external.h>
#include <stdlib.h>
#include <sys/timerfd.h>

struct stream {
    snd_pcm_ioplug_t io;
    struct card *card;
    int card_fd;
    int ring;
    int running;
    int64_t start;            /* the frame at which the stream began: position 0 of the program */
    snd_pcm_uframes_t wanted; /* frames to be available before the program is woken */
    int16_t *prefill;         /* playback written before the start, when its time is not known yet */
};

/* Frames of the program the card has played or taken up since the start. */
static int64_t elapsed(const struct stream *stream)
{
    return frame_now() - stream->start;
}

static int64_t available(const struct stream *stream)
{
    int64_t done = (int64_t)stream->io.appl_ptr;
    return stream->ring == EAR ? (int64_t)stream->io.buffer_size - (done - elapsed(stream)) : elapsed(stream) - done;
}

/* Makes the descriptor readable at the very frame from which the program may go on. A periodic timer would, now and
 * then, fire one frame too early and cost the program a whole period. */
static void arm(struct stream *stream)
{
    int64_t missing = (int64_t)stream->wanted - available(stream);
    struct itimerspec timer = {.it_value = time_of(frame_now() + (missing > 0 ? missing : 0))};
    timerfd_settime(stream->io.poll_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static int stream_start(snd_pcm_ioplug_t *io)
{
    struct stream *stream = io->private_data;
    stream->start = frame_now();
    if (stream->ring == EAR)
        for (int64_t i = 0; i < (int64_t)io->appl_ptr; i++)
            put_frame(&stream->card->ring[EAR], stream->start + i, stream->prefill[i % (int64_t)io->buffer_size]);
    stream->running = 1;
    arm(stream);
    return 0;
}

static int stream_stop(snd_pcm_ioplug_t *io)
{
    struct stream *stream = io->private_data;
    if (stream->running && stream->ring == EAR)
        /* What was written and not yet played is dropped, as a card's buffer is. */
        for (int64_t at = frame_now(); at < stream->start + (int64_t)io->appl_ptr; at++)
            put_frame(&stream->card->ring[EAR], at, 0);
    stream->running = 0;
    return 0;
}

static int stream_prepare(snd_pcm_ioplug_t *io)
{
    struct stream *stream = io->private_data;
    if (stream->card->unplugged)
        return -ENODEV;
    stream->running = 0;
    free(stream->prefill);
    stream->prefill = calloc(io->buffer_size, sizeof *stream->prefill);
    if (!stream->prefill)
        return -ENOMEM;
    if (stream->ring == EAR) {
        /* A program that polls before it writes must find room. */
        struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
        timerfd_settime(io->poll_fd, 0, &soon, NULL);
    }
    return 0;
}

static int stream_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
    struct stream *stream = io->private_data;
    return snd_pcm_sw_params_get_avail_min(params, &stream->wanted);
}

static snd_pcm_sframes_t stream_pointer(snd_pcm_ioplug_t *io)
{
    struct stream *stream = io->private_data;
    if (stream->card->unplugged) {
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
        return -ENODEV;
    }
    if (!stream->running)
        return 0;
    if (available(stream) > (int64_t)io->buffer_size || stream->card->late) {
        if (io->state == SND_PCM_STATE_RUNNING)
            stream->card->xruns[stream->ring]++;
        return -EPIPE;
    }
    return elapsed(stream) % (int64_t)io->buffer_size;
}

static snd_pcm_sframes_t stream_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                         snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct stream *stream = io->private_data;
    struct ring *ring = &stream->card->ring[stream->ring];
    const int32_t *control = stream->card->control;
    int percent = stream->ring == EAR ? (control[PLAYBACK_SWITCH] ? control[PLAYBACK_VOLUME] : 0)
                                      : (control[CAPTURE_SWITCH] ? control[CAPTURE_VOLUME] : 0);
    char *sample = (char *)areas->addr + (areas->first + areas->step * offset) / 8;
    int64_t position = (int64_t)io->appl_ptr;

    for (snd_pcm_uframes_t i = 0; i < size; i++, position++, sample += areas->step / 8) {
        int16_t value;
        if (stream->ring == MOUTH) {
            value = (int16_t)(get_frame(ring, stream->start + position) * percent / 100);
            memcpy(sample, &value, sizeof value);
            continue;
        }
        memcpy(&value, sample, sizeof value);
        value = (int16_t)(value * percent / 100);
        if (stream->running)
            put_frame(ring, stream->start + position, value);
        else
            stream->prefill[position % (int64_t)io->buffer_size] = value;
    }
    return (snd_pcm_sframes_t)size;
}

static int stream_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int count, unsigned short *revents)
{
    struct stream *stream = io->private_data;
    unsigned short ready = stream->ring == EAR ? POLLOUT : POLLIN;
    (void)fds;
    (void)count;
    *revents = 0;
    if (stream->card->unplugged)
        *revents = POLLERR;
    else if (!stream->running)
        *revents = stream->ring == EAR ? ready : 0;
    else if (available(stream) >= (int64_t)stream->wanted)
        *revents = ready;
    else
        arm(stream);
    return 0;
}

static void release(struct stream *stream)
{
    if (stream->io.poll_fd >= 0)
        close(stream->io.poll_fd);
    munmap(stream->card, sizeof *stream->card);
    close(stream->card_fd);
    free(stream->prefill);
    free(stream);
}

static int stream_close(snd_pcm_ioplug_t *io)
{
    release(io->private_data);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = stream_start,
    .stop = stream_stop,
    .pointer = stream_pointer,
    .transfer = stream_transfer,
    .prepare = stream_prepare,
    .sw_params = stream_sw_params,
    .poll_revents = stream_poll_revents,
    .close = stream_close,
};

static int constrain(snd_pcm_ioplug_t *io)
{
    static const unsigned int accesses[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
                                            SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED};
    static const unsigned int formats[] = {SND_PCM_FORMAT_S16};
    unsigned int frame = sizeof(int16_t);
    int error;
    if ((error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 4, accesses)) < 0 ||
        (error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats)) < 0 ||
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1)) < 0 ||
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, RATE_HZ, RATE_HZ)) < 0 ||
        /* 1 to 200 ms, as small USB cards have it */
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, RATE_HZ / 1000 * frame,
                                                 RATE_HZ / 5 * frame)) < 0 ||
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64)) < 0)
        return error;
    return 0;
}

/* One program a direction. The lock belongs to the open file, so the kernel takes it back from one that crashed. */
static int claim(const struct stream *stream)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = stream->ring, .l_len = 1};
    return fcntl(stream->card_fd, F_OFD_SETLK, &lock) < 0 ? -EBUSY : 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(omafon)
{
    const char *path;
    int error;
    (void)root;

    if ((error = configured_path(conf, &path)) < 0)
        return error;
    struct stream *opened = calloc(1, sizeof *opened);
    if (!opened)
        return -ENOMEM;
    if ((error = open_card(path, &opened->card, &opened->card_fd)) < 0) {
        free(opened);
        return error;
    }
    opened->ring = stream == SND_PCM_STREAM_PLAYBACK ? EAR : MOUTH;
    opened->wanted = 1;
    opened->io.version = SND_PCM_IOPLUG_VERSION;
    opened->io.name = "Omafon virtual sound card";
    opened->io.callback = &callbacks;
    opened->io.private_data = opened;
    opened->io.poll_events = POLLIN;
    opened->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    error = opened->io.poll_fd < 0 ? -errno : claim(opened);
    if (error < 0 || (error = snd_pcm_ioplug_create(&opened->io, name, stream, mode)) < 0) {
        release(opened);
        return error;
    }
    if ((error = constrain(&opened->io)) < 0) {
        snd_pcm_ioplug_delete(&opened->io); /* closes the stream */
        return error;
    }
    *pcmp = opened->io.pcm;
    return 0;
}
SND_PCM_PLUGIN_SYMBOL(omafon);
