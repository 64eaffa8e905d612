/* Loaded into the service by the campaign of faults: sets its clock on the wall wrong and lets look-ups in DNS fail, as
 * two numbers in a shared file say. The monotonic clock stays right, as it does on a real machine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Seconds by which the clock is ahead; whether DNS fails. */
static volatile const int64_t *told;

__attribute__((constructor)) static void open_shared_file(void) {
    const char *path = getenv("CHAOS_SHIM");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *memory = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) told = memory;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME && told) now->tv_sec += told[0];
    return (int)failed;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (told && told[1]) return EAI_AGAIN;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, found);
}
