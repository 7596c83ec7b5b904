/*
 * address.h - which network addresses a stranger's link may lead to.
 *
 * A link is judged by the address that is about to be connected to, never by its
 * spelling: names resolve to anything, and 2130706433 is a way to write 127.0.0.1.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/*
 * True when the whole Internet means the same machine by it: not loopback, private,
 * link-local (cloud metadata lives there), multicast, reserved or for documentation,
 * and none of these wrapped into IPv6.
 */
bool address_is_public(const struct sockaddr *address);

/* True for 80, 443, 8080 and 8443. */
bool address_has_web_port(const struct sockaddr *address);

/* "10.0.0.7" or "fe80::1", and with its port "10.0.0.7:80" or "[fe80::1]:80".  Yours. */
char *address_text(const struct sockaddr *address);
char *address_text_with_port(const struct sockaddr *address);
