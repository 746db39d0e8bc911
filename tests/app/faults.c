/* Faults of a machine that a test cannot cause in another way, for LD_PRELOAD.
 *
 * NO_SHARED_MEMORY=1: files cannot be mapped as shared memory, as on some network file systems.
 * CLOCK_OFFSET=FILE: the wall clock is so many seconds off as the file's text says at the moment.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "mmap");
    if ((flags & MAP_SHARED) && file >= 0 && getenv("NO_SHARED_MEMORY")) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return real(address, length, protection, flags, file, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    return mmap(address, length, protection, flags, file, offset);
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, found);
    const char *path = getenv("CLOCK_OFFSET");
    if (status == 0 && clock == CLOCK_REALTIME && path) {
        FILE *file = fopen(path, "r");
        long seconds = 0;
        if (file && fscanf(file, "%ld", &seconds) == 1) found->tv_sec += seconds;
        if (file) fclose(file);
    }
    return status;
}
