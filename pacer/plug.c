#include "plug.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "say.h"

#define KIND "plug"

/* One request of rtnetlink(7): the root qdisc of a device, its kind and its parameters (tc_plug_qopt). */
struct request {
    struct nlmsghdr header;
    struct tcmsg qdisc;
    struct rtattr kind;
    char kind_name[RTA_ALIGN(sizeof KIND)];
    struct rtattr options;
    struct tc_plug_qopt plug;
};

struct answer {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512]; /* the request, and what the kernel has to say */
};

static const int kernel_action[] = {
    [PLUG_HOLD] = TCQ_PLUG_BUFFER,
    [PLUG_RELEASE_ONE] = TCQ_PLUG_RELEASE_ONE,
    [PLUG_OPEN] = TCQ_PLUG_RELEASE_INDEFINITE,
};

static struct request request_for(const struct plug *plug, enum plug_action action)
{
    return (struct request){
        .header = {.nlmsg_len = sizeof(struct request), .nlmsg_type = RTM_NEWQDISC,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = plug->sequence},
        .qdisc = {.tcm_family = AF_UNSPEC, .tcm_ifindex = plug->device, .tcm_parent = TC_H_ROOT},
        .kind = {.rta_type = TCA_KIND, .rta_len = RTA_LENGTH(sizeof KIND)},
        .kind_name = KIND,
        .options = {.rta_type = TCA_OPTIONS, .rta_len = RTA_LENGTH(sizeof(struct tc_plug_qopt))},
        .plug = {.action = kernel_action[action]},
    };
}

/* The kernel's answer to the last request: 0 or an error's number. */
static int answer(const struct plug *plug)
{
    struct answer message;
    for (;;) {
        ssize_t length = recv(plug->fd, &message, sizeof message, 0);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno;
        if ((size_t)length < offsetof(struct answer, rest) || message.header.nlmsg_type != NLMSG_ERROR)
            return EPROTO;
        if (message.header.nlmsg_seq == plug->sequence)
            return -message.error.error;
    }
}

static int ask(struct plug *plug, enum plug_action action)
{
    plug->sequence++;
    struct request request = request_for(plug, action);
    while (send(plug->fd, &request, sizeof request, 0) < 0)
        if (errno != EINTR)
            return errno;
    return answer(plug);
}

static bool connect_kernel(struct plug *plug)
{
    struct timeval patience = {.tv_sec = 1}; /* the guest may be standing still meanwhile */
    plug->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return plug->fd >= 0 && setsockopt(plug->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0;
}

static void plug_close(struct plug *plug)
{
    if (plug->fd >= 0)
        close(plug->fd);
    plug->fd = -1;
}

bool plug_open(struct plug *plug, const char *device)
{
    *plug = (struct plug){.fd = -1};
    if (device == NULL)
        return true;
    plug->device = (int)if_nametoindex(device);
    int error = plug->device != 0 && connect_kernel(plug) ? ask(plug, PLUG_OPEN) : errno;
    if (error == 0)
        return true;
    say("cannot hold output on %s: %s (it needs a root qdisc: tc qdisc add dev %s root plug)", device,
        strerror(error), device);
    plug_close(plug);
    return false;
}

bool plug_do(struct plug *plug, enum plug_action action)
{
    if (plug->fd < 0)
        return true;
    int error = ask(plug, action);
    if (error != 0)
        say("the plug does not obey: %s", strerror(error));
    return error == 0;
}
