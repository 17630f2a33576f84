/* A kernel that has a plug qdisc on every device, in place of rtnetlink's: it checks each request as tc would write it,
 * tells what was asked and acknowledges it, save for the one that STAND_IN_PLUG_REFUSES counts to. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace.h"

static struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    struct tc_plug_qopt padding; /* the kernel sends the request back, too */
} answer;
static int requests;

static bool is_netlink(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_NETLINK;
}

static const char *name_of(int action)
{
    switch (action) {
    case TCQ_PLUG_BUFFER:
        return "plug-hold";
    case TCQ_PLUG_RELEASE_ONE:
        return "plug-release-one";
    case TCQ_PLUG_RELEASE_INDEFINITE:
        return "plug-open";
    default:
        return "plug-nonsense";
    }
}

static int take(const void *message, size_t length)
{
    const struct nlmsghdr *header = message;
    const struct tcmsg *qdisc = NLMSG_DATA(header);
    const struct tc_plug_qopt *plug = NULL;
    const char *kind = "";
    const char *at = (const char *)(qdisc + 1), *end = (const char *)message + length;
    while (at < end) {
        const struct rtattr *attribute = (const void *)at;
        if (attribute->rta_type == TCA_KIND)
            kind = RTA_DATA(attribute);
        if (attribute->rta_type == TCA_OPTIONS && RTA_PAYLOAD(attribute) == sizeof *plug)
            plug = RTA_DATA(attribute);
        at += RTA_ALIGN(attribute->rta_len);
    }
    if (header->nlmsg_len != length || header->nlmsg_type != RTM_NEWQDISC || at != end
        || header->nlmsg_flags != (NLM_F_REQUEST | NLM_F_ACK) || qdisc->tcm_ifindex <= 0
        || qdisc->tcm_parent != TC_H_ROOT || strcmp(kind, "plug") != 0 || plug == NULL)
        return EINVAL;
    trace(name_of(plug->action));
    return ++requests == stand_in_setting("STAND_IN_PLUG_REFUSES", 0) ? ENOENT : 0;
}

ssize_t send(int fd, const void *message, size_t length, int flags)
{
    if (!is_netlink(fd))
        return syscall(SYS_sendto, fd, message, length, flags, NULL, 0);
    const struct nlmsghdr *header = message;
    answer.header = (struct nlmsghdr){.nlmsg_len = sizeof answer, .nlmsg_type = NLMSG_ERROR,
                                      .nlmsg_seq = header->nlmsg_seq};
    answer.error = (struct nlmsgerr){.error = -take(message, length), .msg = *header};
    return (ssize_t)length;
}

ssize_t recv(int fd, void *message, size_t length, int flags)
{
    if (!is_netlink(fd) || length < sizeof answer)
        return syscall(SYS_recvfrom, fd, message, length, flags, NULL, NULL);
    memcpy(message, &answer, sizeof answer);
    return sizeof answer;
}
