/* `xl remus [-i MS] DOMAIN COMMAND`: what xl does around libxl_domain_remus_start(), with COMMAND as the transport.
 * SIGUSR1 steps the wall clock that everything in this process sees by STAND_IN_STEP_S. */
#include <libxl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"
#include "xenctrl.h"

static volatile sig_atomic_t step_s;

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec real;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &real);
    *now = (struct timeval){.tv_sec = real.tv_sec + step_s, .tv_usec = real.tv_nsec / 1000};
    return 0;
}

static void step(int number)
{
    (void)number;
    step_s = stand_in_setting("STAND_IN_STEP_S", 0);
}

static pid_t start_transport(const char *command, int *send_fd)
{
    int ends[2];
    if (pipe(ends) != 0)
        exit(EXIT_FAILURE);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    *send_fd = ends[1];
    return child;
}

int main(int argc, char **argv)
{
    libxl_domain_remus_info info = {.interval = 200};
    libxl_ctx *ctx;
    int option, send_fd;
    signal(SIGUSR1, step);
    optind = 2;
    while ((option = getopt(argc, argv, "Fbundi:")) != -1)
        if (option == 'i')
            info.interval = atoi(optarg);
    if (argc - optind != 2 || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, NULL) != 0)
        return EXIT_FAILURE;
    pid_t transport = start_transport(argv[optind + 1], &send_fd);
    int code = libxl_domain_remus_start(ctx, &info, 1, send_fd, -1, NULL);
    if (libxl_domain_info(ctx, NULL, 1) != 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "Remus: Backup failed? resuming domain at primary. (%d)\n", code);
    libxl_domain_resume(ctx, 1, 1, NULL);
    trace(guest_runs() ? "guest-runs" : "guest-stands-still");
    close(send_fd);
    free(ctx);
    while (waitpid(transport, NULL, 0) < 0)
        continue;
    return EXIT_FAILURE;
}
