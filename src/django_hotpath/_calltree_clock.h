/* The time of an event, in ticks, and what a tick is worth. */

#ifndef HOTPATH_CALLTREE_CLOCK_H
#define HOTPATH_CALLTREE_CLOCK_H

#include <stdint.h>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <time.h>
#endif

/* Reading the processor's own counter costs a third of asking for the time, and that is most of
   what an event costs us. */
#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_COUNTER 1
static int counting;
#endif

static int64_t
monotonic_ns(void)
{
#ifdef _WIN32
    static LARGE_INTEGER frequency;
    LARGE_INTEGER ticks;
    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    return ticks.QuadPart / frequency.QuadPart * 1000000000 +
           ticks.QuadPart % frequency.QuadPart * 1000000000 / frequency.QuadPart;
#else
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (int64_t)moment.tv_sec * 1000000000 + moment.tv_nsec;
#endif
}

static inline int64_t
now_ticks(void)
{
#ifdef HAS_COUNTER
    if (counting)
        return (int64_t)__builtin_ia32_rdtsc();
#endif
    return monotonic_ns();
}

typedef struct {
    int64_t ticks, ns;
} Moment;

/* The same instant by both clocks: of a few readings the one that was disturbed least. */
static Moment
moment_now(void)
{
    Moment moment = {0, 0};
    int64_t narrowest = INT64_MAX;
    for (int attempt = 0; attempt < 5; attempt++) {
        int64_t before = now_ticks(), ns = monotonic_ns(), after = now_ticks();
        if (after - before >= narrowest)
            continue;
        narrowest = after - before;
        moment.ticks = before + narrowest / 2;
        moment.ns = ns;
    }
    return moment;
}

/* By what both clocks say of this very stretch: while a laptop sleeps, the counter runs on (or
   starts again at zero) and the clock stands still, so an older comparison would not do. A counter
   that went backwards says nothing: 0. */
static double
ns_per_tick(Moment from, Moment to)
{
#ifdef HAS_COUNTER
    if (counting) {
        int64_t ticks = to.ticks - from.ticks, ns = to.ns - from.ns;
        return ticks > 0 && ns > 0 ? (double)ns / (double)ticks : 0.0;
    }
#endif
    (void)from;
    (void)to;
    return 1.0;
}

/* What a tick is worth, before a stretch has ended that could be measured: by the last one that was,
   and by all the time since the counter was chosen. A sleep makes either too small, never too
   large. */
static double measured_scale;
static Moment chosen;

static void
note_scale(Moment from, Moment to)
{
    if (to.ns - from.ns >= 1000000)
        measured_scale = ns_per_tick(from, to);
}

static int64_t
about_ticks(int64_t ns, Moment now)
{
    double scale = 1.0;
#ifdef HAS_COUNTER
    if (counting) {
        scale = measured_scale;
        if (now.ns - chosen.ns >= 1000000 && ns_per_tick(chosen, now) > scale)
            scale = ns_per_tick(chosen, now);
        /* Counters run at some gigahertz; what was measured otherwise was not one. */
        if (scale < 0.1 || scale > 10.0)
            scale = 0.4;
    }
#endif
    (void)now;
    return (int64_t)((double)ns / scale);
}

#endif
