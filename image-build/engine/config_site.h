/* SPDX-License-Identifier: GPL-2.0-or-later
 * SPDX-FileCopyrightText: The Omafon authors
 *
 * PJSIP's compile-time choices for a telephone. */
#define PJMEDIA_HAS_VIDEO               0
#define PJ_HAS_IPV6                     1

/* Room for call waiting, a conference and strangers being refused, all at once: the default of 4 lets four
 * unanswered INVITEs of a scanner turn every further caller away with 486. */
#define PJSUA_MAX_CALLS                 16
#define PJSUA_MAX_ACC                   16

#define PJMEDIA_HAS_RTCP_XR             1
#define PJMEDIA_STREAM_ENABLE_XR        1

/* A registrar that comes back is to be found at once, not within the default of 300 s. */
#define PJSUA_REG_RETRY_INTERVAL        5

/* Level 4 and above print DTMF digits and whole messages, and print before anybody can ask for less. */
#define PJ_LOG_MAX_LEVEL                3

/* Which address is ours, the kernel knows. To ask the name server for the machine's own name keeps the whole engine
 * waiting before each call, for as long as a dead server is waited for. */
#define PJ_GETHOSTIP_DISABLE_LOCAL_RESOLUTION 1
