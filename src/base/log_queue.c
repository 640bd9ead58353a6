// SPDX-License-Identifier: MIT
#include "base/log_queue.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define QUEUE_SIZE 1048576 /* if we may; else it is what the kernel gives */
#define SECOND_NS UINT64_C(1000000000)
#define PAUSE_MS 2
#define LAST_S 1 /* that a stalled sink is waited for at the end */
#define LAST_STEP_NS 200000
#define RESTART_S 1 /* from the start of one child to that of the next */

/* Between the process and who writes for it, which may be a child of it. */
struct shared {
    _Atomic uint64_t queued, written; /* bytes */
    _Atomic uint64_t untold;          /* lost lines that no line has told of */
    _Atomic uint64_t uncounted;       /* those of them that the writer lost */
};

static struct {
    enum log_writer writer;
    struct log_queue_calls calls;
    bool is_open;
    int in, out; /* the pipe's ends; in is -1 once closed */
    struct shared *shared;
    atomic_bool has_writer;
    pid_t child;
    uint64_t child_started; /* ns */
} queue;

static uint64_t
count_lines(const char *text, size_t len)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Writes the whole lines of the text, as many at once as no other process's
 * can get between. Returns their bytes. */
static size_t
write_lines(const char *text, size_t len)
{
    size_t done = 0;

    for (;;) {
        const char *at = text + done;
        size_t rest = len - done;
        const char *end = memrchr(at, '\n', rest < PIPE_BUF ? rest : PIPE_BUF);
        size_t piece = end != NULL ? (size_t)(end - at) + 1 : 0;

        if (piece == 0)
            return done;
        if (!queue.calls.write(at, piece)) {
            uint64_t lost = count_lines(at, piece);

            atomic_fetch_add(&queue.shared->untold, lost);
            atomic_fetch_add(&queue.shared->uncounted, lost);
        }
        done += piece;
    }
}

/* The writer: until the queue's end is closed, or would have to be waited for.
 */
static void
write_queue(int fd)
{
    static char text[QUEUE_SIZE]; /* each read takes all there is */
    struct pollfd end = {.fd = fd};
    struct shared *shared = queue.shared;
    size_t len = 0;

    for (;;) {
        ssize_t got = read(fd, text + len, sizeof(text) - len);
        uint64_t lost;
        size_t done;

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        len += (size_t)got;
        /* What was lost so far would have come behind what has been read. */
        lost = atomic_exchange(&shared->untold, 0);
        done = write_lines(text, len);
        if (lost > 0 && !queue.calls.write_dropped(lost))
            atomic_fetch_add(&shared->untold, lost);
        len -= done;
        memmove(text, text + done, len);
        atomic_fetch_add(&shared->written, done);
        /* Under load, this saves most of being woken, for one line each. */
        (void)poll(&end, 1, PAUSE_MS);
    }
}

static void *
run_thread(void *unused)
{
    write_queue(queue.out);
    return unused;
}

static bool
start_thread(void)
{
    sigset_t all, before;
    pthread_t thread;
    bool is_started;

    sigfillset(&all); /* they are for the others */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    is_started = pthread_create(&thread, NULL, run_thread, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_started)
        return false;
    pthread_setname_np(thread, "log");
    pthread_detach(thread); /* it may hang, and goes with the process */
    return true;
}

/* The process that we write for is gone. SIGALRM ends us. */
static void
hurry(int number)
{
    (void)number;
    alarm(LAST_S);
}

/* Nothing of the parent's is held open but where the lines go: its successor
 * will want its socket. A signal to all processes is not for us: lines come
 * until the parent has ended. */
static void
run_child(pid_t parent)
{
    sigset_t mask;

    sigfillset(&mask);
    sigdelset(&mask, SIGUSR1);
    sigdelset(&mask, SIGALRM);
    signal(SIGUSR1, hurry);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    prctl(PR_SET_NAME, LOG_CHILD_NAME);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (getppid() != parent)
        hurry(SIGUSR1);
    if (dup2(queue.out, STDIN_FILENO) < 0)
        return;
    close(STDOUT_FILENO);
    closefrom(STDERR_FILENO + 1);
    write_queue(STDIN_FILENO);
}

static bool
start_child(void)
{
    uint64_t now = now_ns();
    pid_t parent = getpid();

    if (queue.child_started > 0 &&
        now - queue.child_started < RESTART_S * SECOND_NS)
        return false;
    queue.child_started = now;
    queue.child = fork();
    if (queue.child == 0) {
        run_child(parent);
        _exit(0);
    }
    return queue.child > 0;
}

/* Unless there is one. What keeps it from starting may be over by the time of
 * the next line. */
static void
start_writer(void)
{
    if (atomic_exchange(&queue.has_writer, true))
        return;
    if (!(queue.writer == LOG_BY_CHILD ? start_child() : start_thread()))
        atomic_store(&queue.has_writer, false);
}

/* True if all that was put in has been written by the time that it has at the
 * end; else only a signal that is caught ends the wait. For signal handlers,
 * too. */
static bool
wait_written(bool is_end)
{
    const struct timespec step = {.tv_nsec = LAST_STEP_NS};
    uint64_t end = now_ns() + LAST_S * SECOND_NS;

    while (atomic_load(&queue.shared->written) <
           atomic_load(&queue.shared->queued)) {
        if (is_end && now_ns() > end)
            return false;
        if (nanosleep(&step, NULL) != 0 && !is_end)
            return false;
    }
    return true;
}

/* What there is, by whoever calls, where no writer could be started. */
static void
write_here(void)
{
    fcntl(queue.out, F_SETFL, O_NONBLOCK);
    write_queue(queue.out);
    fcntl(queue.out, F_SETFL, 0);
}

/* At the end, in whatever way. True if all has been written. */
static bool
write_last(void)
{
    if (atomic_load(&queue.has_writer))
        return wait_written(true);
    signal(SIGALRM, SIG_DFL);
    alarm(LAST_S);
    write_here();
    alarm(0);
    return true;
}

/* A crash: the last line tells why. */
static void
on_crash(int number)
{
    (void)write_last();
    (void)raise(number); /* by now it ends us */
}

static void
catch_crashes(void)
{
    static const int numbers[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    const struct sigaction action = {.sa_handler = on_crash,
                                     .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        /* A sanitizer has handlers of its own. */
        if (sigaction(numbers[i], NULL, &before) == 0 &&
            before.sa_handler == SIG_DFL)
            sigaction(numbers[i], &action, NULL);
}

bool
log_queue_open(enum log_writer writer, const struct log_queue_calls *calls)
{
    int ends[2];

    queue.shared = mmap(NULL, sizeof(*queue.shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (queue.shared == MAP_FAILED)
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        munmap(queue.shared, sizeof(*queue.shared));
        return false;
    }
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    (void)fcntl(ends[1], F_SETPIPE_SZ, QUEUE_SIZE);
    queue.is_open = true;
    queue.writer = writer;
    queue.calls = *calls;
    queue.out = ends[0];
    queue.in = ends[1];
    if (writer != LOG_BY_CHILD) /* it outlives us */
        catch_crashes();
    return true;
}

static void
count_dropped(uint64_t lines)
{
    if (lines > 0 && queue.calls.dropped != NULL)
        queue.calls.dropped(lines);
}

/* Waits for room where that is the rule, until a signal is caught. */
static bool
wait_for_room(void)
{
    struct pollfd room = {.fd = queue.in, .events = POLLOUT};

    if (queue.writer != LOG_BY_PATIENT_THREAD)
        return false;
    if (!atomic_load(&queue.has_writer))
        write_here();
    return poll(&room, 1, -1) > 0;
}

static bool
put(const char *line, size_t len)
{
    /* First, because the writer may be faster than we are. */
    atomic_fetch_add(&queue.shared->queued, len);
    while (write(queue.in, line, len) < 0) {
        if (errno == EAGAIN && wait_for_room())
            continue;
        atomic_fetch_sub(&queue.shared->queued, len);
        return false;
    }
    return true;
}

bool
log_queue_put(const char *line, size_t len)
{
    if (!queue.is_open)
        return false;
    start_writer();
    count_dropped(atomic_exchange(&queue.shared->uncounted, 0));
    if (!put(line, len)) {
        atomic_fetch_add(&queue.shared->untold, 1);
        count_dropped(1);
    }
    return true;
}

void
log_queue_flush(void)
{
    if (!queue.is_open || queue.writer != LOG_BY_PATIENT_THREAD)
        return;
    if (!atomic_load(&queue.has_writer))
        write_here();
    (void)wait_written(false);
}

/* It sees the end of the queue, and goes. */
static void
end_child(bool is_written)
{
    close(queue.in);
    queue.in = -1;
    if (queue.child <= 0)
        return;
    if (is_written)
        (void)waitpid(queue.child, NULL, 0);
    else
        kill(queue.child, SIGKILL);
}

void
log_queue_close(void)
{
    bool is_written;

    if (!queue.is_open || queue.in < 0)
        return;
    is_written = write_last();
    if (queue.writer == LOG_BY_CHILD)
        end_child(is_written);
}

bool
log_queue_ended(pid_t pid)
{
    int left = 0;

    if (!queue.is_open || pid != queue.child)
        return false;
    queue.child = 0;
    (void)ioctl(queue.out, FIONREAD, &left);
    atomic_store(&queue.shared->written,
                 atomic_load(&queue.shared->queued) - (uint64_t)left);
    atomic_store(&queue.has_writer, false);
    return true;
}
