#include "http/address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

typedef struct
{
    guint32 network; /* in host order */
    int bits;
} Network4;

/* IANA's registry of special-purpose IPv4 addresses, and multicast. */
static const Network4 NOT_PUBLIC4[] = {
    {0x00000000, 8},  /* 0.0.0.0: this network */
    {0x0a000000, 8},  /* 10.0.0.0: private */
    {0x64400000, 10}, /* 100.64.0.0: carrier-grade NAT */
    {0x7f000000, 8},  /* 127.0.0.0: loopback */
    {0xa9fe0000, 16}, /* 169.254.0.0: link-local; metadata and credentials of clouds */
    {0xac100000, 12}, /* 172.16.0.0: private */
    {0xc0000000, 24}, /* 192.0.0.0: protocol assignments */
    {0xc0000200, 24}, /* 192.0.2.0: documentation */
    {0xc0586300, 24}, /* 192.88.99.0: 6to4 relays */
    {0xc0a80000, 16}, /* 192.168.0.0: private */
    {0xc6120000, 15}, /* 198.18.0.0: benchmarks */
    {0xc6336400, 24}, /* 198.51.100.0: documentation */
    {0xcb007100, 24}, /* 203.0.113.0: documentation */
    {0xe0000000, 4},  /* 224.0.0.0: multicast */
    {0xf0000000, 4},  /* 240.0.0.0: reserved, broadcast */
};

typedef struct
{
    guint8 network[16];
    int bits;
} Network6;

/* Only 2000::/3 is handed out to the world at all; these parts of it are not. */
static const Network6 GLOBAL6 = {{0x20}, 3};
static const Network6 NOT_PUBLIC6[] = {
    {{0x20, 0x01}, 23},             /* 2001::: protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* 2001:db8::: documentation */
    {{0x20, 0x02}, 16},             /* 2002::: 6to4, wraps any IPv4 address */
    {{0x3f, 0xff}, 20},             /* 3fff::: documentation */
};

/* NAT64 wraps an IPv4 address too, but on networks without IPv4 it is the only way
 * to most of the web: judged by what it wraps. */
static const Network6 NAT64 = {{0x00, 0x64, 0xff, 0x9b}, 96};

static bool
is_public4(guint32 address)
{
    for (size_t i = 0; i < G_N_ELEMENTS(NOT_PUBLIC4); i++)
        if ((address ^ NOT_PUBLIC4[i].network) >> (32 - NOT_PUBLIC4[i].bits) == 0)
            return false;
    return true;
}

static bool
is_within(const guint8 *address, const Network6 *network)
{
    const int whole = network->bits / 8;
    const int rest = network->bits % 8;

    if (memcmp(address, network->network, (size_t) whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ network->network[whole]) >> (8 - rest) == 0;
}

static bool
is_public6(const guint8 *address)
{
    if (is_within(address, &NAT64))
    {
        guint32 wrapped;
        memcpy(&wrapped, address + 12, sizeof wrapped);
        return is_public4(ntohl(wrapped));
    }
    if (!is_within(address, &GLOBAL6))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(NOT_PUBLIC6); i++)
        if (is_within(address, &NOT_PUBLIC6[i]))
            return false;
    return true;
}

bool
address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
    {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6)
    {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}

static int
port_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
    {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohs(in.sin_port);
    }
    if (address->sa_family == AF_INET6)
    {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return ntohs(in6.sin6_port);
    }
    return -1;
}

bool
address_has_web_port(const struct sockaddr *address)
{
    const int port = port_of(address);
    return port == 80 || port == 443 || port == 8080 || port == 8443;
}

char *
address_text(const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "unknown";

    if (address->sa_family == AF_INET)
    {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    }
    else if (address->sa_family == AF_INET6)
    {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    }
    return g_strdup(text);
}

char *
address_text_with_port(const struct sockaddr *address)
{
    g_autofree char *text = address_text(address);
    const int port = port_of(address);
    return address->sa_family == AF_INET6 ? g_strdup_printf("[%s]:%d", text, port)
                                          : g_strdup_printf("%s:%d", text, port);
}
