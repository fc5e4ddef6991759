/*
 * delay-link: a long cable between two network namespaces.
 *
 *   delay-link <namespace> <device> <namespace> <device> <delay in us>
 *
 * Makes a TUN device in each of the two namespaces (named as `ip netns` names them) and carries every IP packet from one to
 * the other, each exactly `delay` later, in order. Prints "ready" once the devices exist and ends when its standard input
 * does, so it never outlives the program that started it. At most QUEUE packets are on their way in each direction; further
 * ones wait in the device's own queue, which drops the newest when it is full.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, QUEUE = 8192 };

struct packet {
    int64_t due; /* CLOCK_MONOTONIC, ns */
    size_t length;
    uint8_t bytes[MTU];
};

/* One way of the cable: a ring of `count` packets from `head` on, in order of `due`. */
struct lane {
    int from, to;
    struct packet *ring;
    size_t head, count;
};

static int open_device(const char *namespace, const char *device);
static void open_lane(struct lane *lane, int from, int to);
static void take_in(struct lane *lane, int64_t delay);
static void let_out(struct lane *lane);
static int64_t until_due(const struct lane *lane);
static int64_t now(void);
static void fail(const char *what);

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: delay-link <namespace> <device> <namespace> <device> <delay in us>\n");
        return 2;
    }
    int64_t delay = strtoll(argv[5], NULL, 10) * 1000;
    int left = open_device(argv[1], argv[2]);
    int right = open_device(argv[3], argv[4]);
    struct lane lanes[2];
    open_lane(&lanes[0], left, right);
    open_lane(&lanes[1], right, left);
    /* On time even while the machine is busy: no timer slack (50 us by default), and ahead of whatever is being tested. */
    if (prctl(PR_SET_TIMERSLACK, 1L) < 0) fail("PR_SET_TIMERSLACK");
    if (setpriority(PRIO_PROCESS, 0, -20) < 0) fail("setpriority");
    puts("ready");
    fflush(stdout);

    for (;;) {
        struct pollfd inputs[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
        int64_t wait = INT64_MAX;
        for (int i = 0; i < 2; i++) {
            let_out(&lanes[i]);
            int64_t due = until_due(&lanes[i]);
            if (due < wait) wait = due;
            inputs[i + 1].fd = lanes[i].from;
            inputs[i + 1].events = lanes[i].count < QUEUE ? POLLIN : 0;
        }
        struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        if (ppoll(inputs, 3, wait == INT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR) fail("ppoll");
        if (inputs[0].revents != 0) return 0;
        for (int i = 0; i < 2; i++)
            if (inputs[i + 1].revents != 0) take_in(&lanes[i], delay);
    }
}

/* A TUN device belongs to the namespace in which /dev/net/tun was opened. */
static int open_device(const char *namespace, const char *device) {
    char path[4096];
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int netns = open(path, O_RDONLY | O_CLOEXEC);
    if (netns < 0 || setns(netns, CLONE_NEWNET) < 0) fail(path);
    close(netns);

    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0) fail("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (ioctl(tun, TUNSETIFF, &request) < 0) fail(device);
    return tun;
}

static void open_lane(struct lane *lane, int from, int to) {
    *lane = (struct lane){.from = from, .to = to, .ring = calloc(QUEUE, sizeof(struct packet))};
    if (lane->ring == NULL) fail("calloc");
}

/* Reads what the device holds, as far as there is room. */
static void take_in(struct lane *lane, int64_t delay) {
    while (lane->count < QUEUE) {
        struct packet *packet = &lane->ring[(lane->head + lane->count) % QUEUE];
        ssize_t length = read(lane->from, packet->bytes, MTU);
        if (length < 0 && errno == EAGAIN) return;
        if (length < 0) fail("read"); /* EBADFD: the namespace is gone, and the device with it */
        packet->length = (size_t)length;
        packet->due = now() + delay;
        lane->count++;
    }
}

/* Writes what is due. A device that is down or out of memory loses the packet, as a cable that is cut would. */
static void let_out(struct lane *lane) {
    int64_t time = now();
    while (lane->count > 0 && lane->ring[lane->head].due <= time) {
        struct packet *packet = &lane->ring[lane->head];
        if (write(lane->to, packet->bytes, packet->length) < 0 && errno == EBADFD) fail("write");
        lane->head = (lane->head + 1) % QUEUE;
        lane->count--;
    }
}

/* ns until the next packet is due, 0 when it is already, INT64_MAX when there is none. */
static int64_t until_due(const struct lane *lane) {
    if (lane->count == 0) return INT64_MAX;
    int64_t wait = lane->ring[lane->head].due - now();
    return wait > 0 ? wait : 0;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "delay-link: %s: %s\n", what, strerror(errno));
    exit(1);
}
