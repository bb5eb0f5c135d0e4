/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_PEER_H
#define MCKUBE_MIGRATE_AGENT_PEER_H

#include "base/sha256.h"
#include "migrate_agent/stream.h"

/* Connections between helpers: TLS 1.3 with a certificate on both sides, each pinned. A helper
 * makes its own, keeps it in its folder, and tells its SHA-256 in an annotation of its node; which
 * nodes a move concerns, the API says. No authority signs anything. */

struct identity {
	SSL_CTX *server, *client;
	char fingerprint[SHA256_HEX]; /* of our certificate */
};

/* Reads the key and certificate of the folder, or makes them. */
int identity_open(const char *folder, const char *name, struct identity *ret, struct error *err);
void identity_close(struct identity *i);

/* TLS over an accepted connection, which the stream owns from now on. ret_peer: what the client has
 * shown. */
int peer_accept(const struct identity *i, int fd, struct stream *ret,
		char ret_peer[static SHA256_HEX], struct error *err);

/* Connects to "IP:PORT" ("[IP6]:PORT"), where the certificate must be the one with this
 * fingerprint. */
int peer_connect(const struct identity *i, const char *address, const char *fingerprint,
		 struct stream *ret, struct error *err);

#endif
