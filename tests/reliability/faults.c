/* Lets the disk fail: preloaded into a process, it counts the calls that change files below one
 * directory, and fails those that it was told to. The rest of the process never notices it.
 *
 * A call is of one or more classes. A plan names classes by a mask (one has to be there, and all of
 * `required`), the first call of them that fails, and which ones after it: none (every = 0), all
 * (1), each second (2), … With `half` a write first writes half of what it was given; without an
 * error it then says so, which a write may. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The order of `CLASSES` in faults.py. */
enum {
    WRITE = 1, FSYNC = 2, RENAME = 4, FTRUNCATE = 8, UNLINK = 16, OPEN = 32, OPEN_FOR_WRITING = 64, CREATE = 128,
    /* Of the database itself: not of its journal, a lock or a key. */
    VAULT = 256,
};

/* In place of an error: the process ends here, as at kill -9. */
enum { KILL = -1 };

enum { LOGGED = 8192 };

static struct {
    atomic_int armed;
    char root[PATH_MAX];
    unsigned classes, required;
    long first, every;
    int error, half;
    atomic_long seen, failed, calls;
    unsigned short log[LOGGED];
    char struck[PATH_MAX + 32];
} plan;

void faults_arm(const char *root, unsigned classes, unsigned required, long first, long every, int error, int half) {
    snprintf(plan.root, sizeof plan.root, "%s/", root);
    plan.classes = classes, plan.required = required;
    plan.first = first, plan.every = every, plan.error = error, plan.half = half;
    plan.seen = plan.failed = plan.calls = 0;
    plan.struck[0] = 0;
    plan.armed = 1;
}

/* How many calls have failed. `log` gets the classes of each call, `struck` the first that failed. */
long faults_disarm(unsigned short *log, long room, long *calls, char *struck, long struck_room) {
    plan.armed = 0;
    *calls = plan.calls < LOGGED ? plan.calls : LOGGED;
    memcpy(log, plan.log, (*calls < room ? *calls : room) * sizeof *log);
    snprintf(struck, struck_room, "%s", plan.struck);
    return plan.failed;
}

/* Whether this call is to fail. */
static int strikes(unsigned classes, const char *name, const char *path) {
    if (!plan.armed || strncmp(path, plan.root, strlen(plan.root)) != 0) return 0;
    size_t length = strlen(path);
    if (length > 9 && strcmp(path + length - 9, "/vault.db") == 0) classes |= VAULT;
    long call = plan.calls++;
    if (call < LOGGED) plan.log[call] = classes;
    if (!(classes & plan.classes) || (classes & plan.required) != plan.required) return 0;
    long later = ++plan.seen - plan.first;
    if (later < 0 || (later > 0 && (plan.every == 0 || later % plan.every != 0))) return 0;
    if (plan.error == KILL) kill(getpid(), SIGKILL);
    if (plan.failed++ == 0)
        snprintf(plan.struck, sizeof plan.struck, "%s %s", name, path + strlen(plan.root));
    return 1;
}

/* The path of an open file, or "" for what has none. */
static const char *path_of(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return path;
}

static const char *path_at(int directory, const char *name, char *path) {
    if (name[0] == '/' || directory == AT_FDCWD) return name;
    char parent[PATH_MAX];
    snprintf(path, PATH_MAX, "%.2000s/%.2000s", path_of(directory, parent), name);
    return path;
}

static int fail(void) {
    errno = plan.error;
    return -1;
}

#define REAL(name) ((__typeof__(&name))real(#name))

/* Asked once and again; the loader is quick, and a static would need a lock. */
static void *real(const char *name) {
    int before = errno;
    void *found = dlsym(RTLD_NEXT, name);
    errno = before;
    return found;
}

static int strikes_file(unsigned classes, const char *name, int file) {
    if (!plan.armed) return 0;
    char path[PATH_MAX];
    int before = errno;
    int struck = strikes(classes, name, path_of(file, path));
    errno = before;
    return struck;
}

/* How much of a write is done before it fails, or says that it was short. */
static size_t part_of(int file, size_t size, int *fails) {
    *fails = 0;
    if (!strikes_file(WRITE, "write", file)) return size;
    *fails = plan.error != 0;
    if (!plan.half) return *fails ? 0 : size;
    return size > 1 || *fails ? size / 2 : size;
}

ssize_t write(int file, const void *data, size_t size) {
    int fails;
    size_t part = part_of(file, size, &fails);
    ssize_t written = part ? REAL(write)(file, data, part) : 0;
    return fails ? fail() : written;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    int fails;
    size_t part = part_of(file, size, &fails);
    ssize_t written = part ? REAL(pwrite)(file, data, part, at) : 0;
    return fails ? fail() : written;
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    int fails;
    size_t part = part_of(file, size, &fails);
    ssize_t written = part ? REAL(pwrite64)(file, data, part, at) : 0;
    return fails ? fail() : written;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    return strikes_file(WRITE, "write", file) && plan.error ? fail() : REAL(writev)(file, parts, count);
}

int fsync(int file) {
    return strikes_file(FSYNC, "fsync", file) ? fail() : REAL(fsync)(file);
}

int fdatasync(int file) {
    return strikes_file(FSYNC, "fsync", file) ? fail() : REAL(fdatasync)(file);
}

int ftruncate(int file, off_t size) {
    return strikes_file(FTRUNCATE, "ftruncate", file) ? fail() : REAL(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size) {
    return strikes_file(FTRUNCATE, "ftruncate", file) ? fail() : REAL(ftruncate64)(file, size);
}

int rename(const char *from, const char *to) {
    return strikes(RENAME, "rename", to) ? fail() : REAL(rename)(from, to);
}

int renameat(int from, const char *old, int to, const char *new) {
    char path[PATH_MAX];
    return strikes(RENAME, "rename", path_at(to, new, path)) ? fail() : REAL(renameat)(from, old, to, new);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    char path[PATH_MAX];
    return strikes(RENAME, "rename", path_at(to, new, path)) ? fail() : REAL(renameat2)(from, old, to, new, flags);
}

/* A second name for a file is given as its new name is. */
int link(const char *from, const char *to) {
    return strikes(RENAME, "link", to) ? fail() : REAL(link)(from, to);
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
    char path[PATH_MAX];
    return strikes(RENAME, "link", path_at(to, new, path)) ? fail() : REAL(linkat)(from, old, to, new, flags);
}

int unlink(const char *path) {
    return strikes(UNLINK, "unlink", path) ? fail() : REAL(unlink)(path);
}

int unlinkat(int directory, const char *name, int flags) {
    char path[PATH_MAX];
    return strikes(UNLINK, "unlink", path_at(directory, name, path)) ? fail() : REAL(unlinkat)(directory, name, flags);
}

/* What is there already is said to be there, whatever the disk is like. */
static int is_there(const char *path) {
    struct stat found;
    int before = errno;
    int is_there = stat(path, &found) == 0;
    errno = before;
    return is_there;
}

int mkdir(const char *path, mode_t mode) {
    if (!plan.armed || is_there(path)) return REAL(mkdir)(path, mode);
    return strikes(CREATE, "mkdir", path) ? fail() : REAL(mkdir)(path, mode);
}

static int strikes_opening(int directory, const char *name, int flags) {
    if (!plan.armed) return 0;
    char joined[PATH_MAX];
    const char *path = path_at(directory, name, joined);
    unsigned classes = OPEN;
    if ((flags & O_ACCMODE) != O_RDONLY) classes |= OPEN_FOR_WRITING;
    if ((flags & O_CREAT) && !is_there(path)) classes |= OPEN_FOR_WRITING | CREATE;
    return strikes(classes, "open", path);
}

/* The mode is there only where the call may create a file. */
#define OPENING(directory, path, flags, call) \
    do { \
        mode_t mode = 0; \
        if ((flags) & (O_CREAT | __O_TMPFILE)) { \
            va_list more; \
            va_start(more, flags); \
            mode = va_arg(more, mode_t); \
            va_end(more); \
        } \
        return strikes_opening(directory, path, flags) ? fail() : (call); \
    } while (0)

int open(const char *path, int flags, ...) {
    OPENING(AT_FDCWD, path, flags, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
    OPENING(AT_FDCWD, path, flags, REAL(open64)(path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...) {
    OPENING(directory, path, flags, REAL(openat)(directory, path, flags, mode));
}

int openat64(int directory, const char *path, int flags, ...) {
    OPENING(directory, path, flags, REAL(openat64)(directory, path, flags, mode));
}
