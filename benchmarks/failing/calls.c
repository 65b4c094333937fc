/* Calls of the operating system that fail when they are told to: loaded before the C library (LD_PRELOAD), so that
   Python, SQLite and every other library get the failure as they would from a real disk or network.

   fail_call(kinds, number, error, ever, under): of the calls of these kinds on files whose path begins with `under`
   (and on sockets), the one of this number fails with this errno, or, where it is 0, the process is
   killed there; ever: and all after it. number 0: none, they are
   counted. calls_seen(): how many there were since. Kinds are the bits below. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, READ = 4, RENAME = 8, OPEN = 16, REMOVE = 32, CONNECTION = 64 };

static int armed, wanted_error, for_ever;
static long wanted, seen;
static char prefix[4096];

void fail_call(int kinds, long number, int error, int ever, const char *under)
{
	strncpy(prefix, under, sizeof prefix - 1);
	wanted = number, wanted_error = error, for_ever = ever, seen = 0, armed = kinds;
}

long calls_seen(void) { return seen; }

static int now(void)
{
	long number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
	if (!wanted || (for_ever ? number < wanted : number != wanted))
		return 0;
	if (!wanted_error)
		kill(getpid(), SIGKILL);
	errno = wanted_error;
	return 1;
}

static int path_fails(int kind, const char *path)
{
	return (armed & kind) && path && !strncmp(path, prefix, strlen(prefix)) && now();
}

static int file_fails(int kind, int file)
{
	char link[64], path[4096];
	if (!(armed & (kind | CONNECTION)))
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	int saved = errno;
	ssize_t length = readlink(link, path, sizeof path - 1);
	errno = saved;
	if (length <= 0)
		return 0;
	path[length] = 0;
	if (armed & CONNECTION) {
		if (strncmp(path, "socket:", 7) || !now())
			return 0;
		saved = errno;
		shutdown(file, SHUT_RDWR); /* who waits for it is told, as of a real one that was reset */
		errno = saved;
		return 1;
	}
	return path_fails(kind, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define FILE_CALL(kind, type, bad, name, parameters, ...)                                                          \
	type name parameters                                                                                           \
	{                                                                                                              \
		static __typeof__(&name) real;                                                                             \
		if (!real)                                                                                                 \
			real = REAL(name);                                                                                     \
		return file_fails(kind, file) ? bad : real(__VA_ARGS__);                                                   \
	}

FILE_CALL(WRITE, ssize_t, -1, write, (int file, const void *data, size_t size), file, data, size)
FILE_CALL(WRITE, ssize_t, -1, pwrite, (int file, const void *data, size_t size, off_t at), file, data, size, at)
FILE_CALL(WRITE, ssize_t, -1, pwrite64, (int file, const void *data, size_t size, off64_t at), file, data, size, at)
FILE_CALL(WRITE, ssize_t, -1, writev, (int file, const struct iovec *parts, int count), file, parts, count)
FILE_CALL(WRITE, int, -1, ftruncate, (int file, off_t size), file, size)
FILE_CALL(WRITE, int, -1, ftruncate64, (int file, off64_t size), file, size)
FILE_CALL(SYNC, int, -1, fsync, (int file), file)
FILE_CALL(SYNC, int, -1, fdatasync, (int file), file)
FILE_CALL(READ, ssize_t, -1, read, (int file, void *data, size_t size), file, data, size)
FILE_CALL(READ, ssize_t, -1, pread, (int file, void *data, size_t size, off_t at), file, data, size, at)
FILE_CALL(READ, ssize_t, -1, pread64, (int file, void *data, size_t size, off64_t at), file, data, size, at)
FILE_CALL(READ, ssize_t, -1, readv, (int file, const struct iovec *parts, int count), file, parts, count)
FILE_CALL(CONNECTION, ssize_t, -1, send, (int file, const void *data, size_t size, int how), file, data, size, how)
FILE_CALL(CONNECTION, ssize_t, -1, recv, (int file, void *data, size_t size, int how), file, data, size, how)
FILE_CALL(CONNECTION, int, -1, connect, (int file, const struct sockaddr *to, socklen_t size), file, to, size)

/* the C library's own buffered files do not come by `write` above */
size_t fwrite(const void *data, size_t size, size_t count, FILE *stream)
{
	return file_fails(WRITE, fileno(stream)) ? 0 : REAL(fwrite)(data, size, count, stream);
}

/* a copy inside the system is a write into its target */
ssize_t sendfile64(int file, int from, off64_t *at, size_t count)
{
	ssize_t (*real)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
	return file_fails(WRITE, file) ? -1 : real(file, from, at, count);
}

ssize_t sendfile(int file, int from, off_t *at, size_t count)
{
	ssize_t (*real)(int, int, off_t *, size_t) = dlsym(RTLD_NEXT, "sendfile");
	return file_fails(WRITE, file) ? -1 : real(file, from, at, count);
}

#define OPENING(name, parameters, ...)                                                                             \
	int name parameters                                                                                            \
	{                                                                                                              \
		va_list more;                                                                                              \
		va_start(more, how);                                                                                       \
		mode_t mode = how & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;                                    \
		va_end(more);                                                                                              \
		static __typeof__(&name) real;                                                                             \
		if (!real)                                                                                                 \
			real = REAL(name);                                                                                     \
		return path_fails(OPEN, path) ? -1 : real(__VA_ARGS__, how, mode);                                         \
	}

OPENING(open, (const char *path, int how, ...), path)
OPENING(open64, (const char *path, int how, ...), path)
OPENING(openat, (int folder, const char *path, int how, ...), folder, path)
OPENING(openat64, (int folder, const char *path, int how, ...), folder, path)

FILE *fopen(const char *path, const char *how) { return path_fails(OPEN, path) ? NULL : REAL(fopen)(path, how); }
FILE *fopen64(const char *path, const char *how) { return path_fails(OPEN, path) ? NULL : REAL(fopen64)(path, how); }
int mkdir(const char *path, mode_t mode) { return path_fails(OPEN, path) ? -1 : REAL(mkdir)(path, mode); }

int rename(const char *path, const char *to) { return path_fails(RENAME, path) ? -1 : REAL(rename)(path, to); }
int renameat(int folder, const char *path, int other, const char *to)
{
	return path_fails(RENAME, path) ? -1 : REAL(renameat)(folder, path, other, to);
}
int link(const char *path, const char *to) { return path_fails(RENAME, path) ? -1 : REAL(link)(path, to); }

int unlink(const char *path) { return path_fails(REMOVE, path) ? -1 : REAL(unlink)(path); }
int rmdir(const char *path) { return path_fails(REMOVE, path) ? -1 : REAL(rmdir)(path); }
