/*
 * The demo guest's server: a counter that lives in memory alone, by HTTP and as UDP ticks, and load on request.
 *
 *   GET /                                                        counter=N requests=N boot=HEX uptime=S
 *   GET /load?cpu=0.9&pages_per_s=2000&megabytes=32&seconds=60   loads the guest for a bounded time
 *   GET /load?writes_per_s=10&seconds=60                         each time as far as the disk: one block of /disk/writes
 *
 * usage: server [ADDRESS:PORT]     sends "TICK counter boot" there every 50 ms
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_S 0.05
#define PAGE_BYTES 4096
#define CLIENTS 16

struct load {
    double cpu_ratio, pages_per_s, until_s, pages_owed;
    size_t pages, next_page;
    unsigned char *memory;
    pid_t writer; /* none: 0 */
};

struct server {
    unsigned long counter, requests;
    char boot[9];
    int listener, ticker;
    struct sockaddr_in tick_to;
    struct pollfd sockets[1 + CLIENTS]; /* the listener, then clients that have not asked yet; free: fd -1 */
    struct load load;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Writes to the disk until it is killed; of a guest that has none, to memory. */
static void keep_writing(double per_s)
{
    close_range(0, ~0U, 0); /* clients, whose connections are to end with the server's part */
    int file = open("/disk/writes", O_WRONLY | O_CREAT | O_DSYNC, 0644);
    double due_s = seconds(CLOCK_MONOTONIC);
    for (unsigned long count = 1;; count++) {
        char text[32]; /* always as long, so that the file's length is not written each time, too */
        int length = snprintf(text, sizeof text, "%020lu\n", count);
        (void)!pwrite(file, text, (size_t)length, 0);
        due_s += 1 / per_s;
        double left_s = due_s - seconds(CLOCK_MONOTONIC);
        if (left_s < 0) {
            due_s -= left_s; /* a slow disk is written less often */
            continue;
        }
        struct timespec wait = {.tv_sec = (time_t)left_s, .tv_nsec = (long)((left_s - (double)(time_t)left_s) * 1e9)};
        nanosleep(&wait, NULL);
    }
}

/* Starts what writes to the disk, a process of its own, as a disk may take long; 0 where nothing is to, -1 on failure. */
static pid_t begin_writing(double per_s)
{
    pid_t writer = per_s > 0 ? fork() : 0;
    if (per_s > 0 && writer == 0)
        keep_writing(per_s);
    return writer;
}

static void end_load(struct load *load)
{
    if (load->writer > 0)
        kill(load->writer, SIGKILL); /* which ends it once the disk has answered, should it wait for that */
    if (load->memory)
        munmap(load->memory, load->pages * PAGE_BYTES);
    *load = (struct load){0};
}

/* The number after "name=" in a query; the fallback where there is none; -1 where it is no number within [0, most]. */
static double parameter(const char *query, const char *name, double fallback, double most)
{
    const char *found = strstr(query, name);
    if (!found)
        return fallback;
    char *end;
    double value = strtod(found + strlen(name), &end);
    bool whole = end > found + strlen(name) && strchr("& \r\n", *end);
    return whole && value >= 0 && value <= most ? value : -1;
}

/* Replaces the load by what the query asks for; false, and no load, where it asks for nonsense. */
static bool begin_load(struct load *load, const char *query)
{
    end_load(load);
    double cpu = parameter(query, "cpu=", 0, 1);
    double pages_per_s = parameter(query, "pages_per_s=", 0, 1e6);
    double megabytes = parameter(query, "megabytes=", 16, 64);
    double writes_per_s = parameter(query, "writes_per_s=", 0, 100);
    double duration_s = parameter(query, "seconds=", 60, 3600);
    if (cpu < 0 || pages_per_s < 0 || megabytes < 1 || writes_per_s < 0 || duration_s < 0)
        return false;
    size_t pages = (size_t)(megabytes * 1024 * 1024 / PAGE_BYTES);
    void *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    *load = (struct load){.cpu_ratio = cpu, .pages_per_s = pages_per_s, .pages = pages, .memory = memory,
                          .until_s = seconds(CLOCK_MONOTONIC) + duration_s, .writer = begin_writing(writes_per_s)};
    if (load->writer >= 0)
        return true;
    end_load(load);
    return false;
}

/* One tick's share of the load: writes pages in turn, then computes until the tick's share of a CPU is used up. */
static void work(struct load *load, double now_s)
{
    if (!load->memory)
        return;
    if (now_s >= load->until_s) {
        end_load(load);
        return;
    }
    for (load->pages_owed += load->pages_per_s * TICK_S; load->pages_owed >= 1; load->pages_owed -= 1) {
        load->memory[load->next_page * PAGE_BYTES]++;
        load->next_page = (load->next_page + 1) % load->pages;
    }
    while (seconds(CLOCK_MONOTONIC) < now_s + load->cpu_ratio * TICK_S)
        ;
}

static void answer(struct server *server, int client)
{
    char request[1024], status[] = "200 OK", body[128], reply[512];
    ssize_t length = recv(client, request, sizeof request - 1, MSG_DONTWAIT);
    if (length <= 0)
        return;
    request[length] = 0;
    server->requests++;
    if (strncmp(request, "GET /load?", 10) == 0) {
        request[strcspn(request, "\r\n")] = 0;
        bool begun = begin_load(&server->load, request + 10);
        snprintf(body, sizeof body, begun ? "loaded\n" : "out of range\n");
        strcpy(status, begun ? "200 OK" : "400 No");
    } else {
        snprintf(body, sizeof body, "counter=%lu requests=%lu boot=%s uptime=%.2f\n", server->counter, server->requests,
                 server->boot, seconds(CLOCK_BOOTTIME));
    }
    int total = snprintf(reply, sizeof reply,
                         "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                         status, strlen(body), body);
    (void)!send(client, reply, (size_t)total, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
}

/* Takes a new client in; where all places are taken, it gets the place of another one that never asked. */
static void admit(struct server *server)
{
    int client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    struct pollfd *place = &server->sockets[1 + server->requests % CLIENTS];
    for (int i = 1; i <= CLIENTS; i++)
        if (server->sockets[i].fd < 0)
            place = &server->sockets[i];
    if (place->fd >= 0)
        close(place->fd);
    *place = (struct pollfd){.fd = client, .events = POLLIN};
}

/* Serves whoever asks until the time given; looks once even where that has passed, so that full load starves nobody. */
static void serve_until(struct server *server, double until_s)
{
    double left_s;
    do {
        left_s = until_s - seconds(CLOCK_MONOTONIC);
        struct timespec wait = {.tv_nsec = left_s > 0 ? (long)(left_s * 1e9) : 0}; /* TICK_S at most */
        if (ppoll(server->sockets, 1 + CLIENTS, &wait, NULL) <= 0)
            continue;
        for (int i = 1; i <= CLIENTS; i++) {
            if (server->sockets[i].fd < 0 || !server->sockets[i].revents)
                continue;
            answer(server, server->sockets[i].fd);
            close(server->sockets[i].fd);
            server->sockets[i].fd = -1;
        }
        if (server->sockets[0].revents)
            admit(server);
    } while (left_s > 0);
}

static void tick(struct server *server)
{
    server->counter++;
    if (server->ticker < 0)
        return;
    char text[64];
    int length = snprintf(text, sizeof text, "TICK %lu %s", server->counter, server->boot);
    sendto(server->ticker, text, (size_t)length, MSG_DONTWAIT, (struct sockaddr *)&server->tick_to, sizeof server->tick_to);
}

static int listen_at(unsigned short port)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 64)) {
        perror("server: port 80");
        exit(1);
    }
    return listener;
}

/* Reads ADDRESS:PORT; -1 where nothing is to be sent. */
static int ticker_to(struct sockaddr_in *to, char *where)
{
    char *colon = where ? strchr(where, ':') : NULL;
    if (!colon)
        return -1;
    *colon = 0;
    to->sin_family = AF_INET;
    to->sin_port = htons((unsigned short)atoi(colon + 1));
    return inet_aton(where, &to->sin_addr) ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
}

int main(int argc, char **argv)
{
    static struct server server;
    signal(SIGCHLD, SIG_IGN); /* ended writers are not waited for */
    FILE *boot = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (!boot || !fgets(server.boot, sizeof server.boot, boot))
        strcpy(server.boot, "unknown");
    server.ticker = ticker_to(&server.tick_to, argc > 1 ? argv[1] : NULL);
    server.listener = listen_at(80);
    for (int i = 1; i <= CLIENTS; i++)
        server.sockets[i].fd = -1;
    server.sockets[0] = (struct pollfd){.fd = server.listener, .events = POLLIN};
    for (double due_s = seconds(CLOCK_MONOTONIC);; due_s += TICK_S) {
        double now_s = seconds(CLOCK_MONOTONIC);
        if (due_s < now_s - 1)
            due_s = now_s; /* a stop of over a second, by a pause or a failover, is not caught up */
        tick(&server);
        work(&server.load, now_s);
        serve_until(&server, due_s + TICK_S);
    }
}
