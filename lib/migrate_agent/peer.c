/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/peer.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

enum { CONNECT_MS = 5000, VALID_SECONDS = 10 * 365 * 86400, SERIAL_BITS = 63 };

static int refuse(struct error *err, const char *what)
{
	char text[160];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return error_set(err, -EPROTO, "%s: %s", what, text);
}

/* The certificate. */

static void fingerprint_of(const X509 *cert, char hex[static SHA256_HEX])
{
	unsigned char digest[SHA256_SIZE];
	unsigned n = 0;

	memset(digest, 0, sizeof(digest));
	X509_digest(cert, EVP_sha256(), digest, &n);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	uint64_t serial = 1;

	RAND_bytes((unsigned char *)&serial, sizeof(serial));
	X509_set_version(cert, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> (64 - SERIAL_BITS));
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), VALID_SECONDS);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	if (X509_sign(cert, key, EVP_sha256()) == 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static int save_pem(const char *path, EVP_PKEY *key, X509 *cert, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	AUTO_FILE FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f || PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_X509(f, cert) != 1 || fflush(f) != 0)
		return error_errno(err, "write %s", path);
	return 0;
}

static int make_pem(const char *path, const char *name, struct error *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_certificate(key, name) : NULL;
	int r = cert ? save_pem(path, key, cert, err) : refuse(err, "make a certificate");

	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}

/* Pinned: the fingerprint is compared after the handshake. */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static int new_context(const SSL_METHOD *method, const char *path, SSL_CTX **ret, struct error *err)
{
	SSL_CTX *c = SSL_CTX_new(method);

	*ret = c;
	if (!c || SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_use_PrivateKey_file(c, path, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_certificate_file(c, path, SSL_FILETYPE_PEM) != 1)
		return refuse(err, path);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, accept_any, NULL);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c, 0);
	return 0;
}

static int open_contexts(const char *path, struct identity *i, struct error *err)
{
	if (new_context(TLS_server_method(), path, &i->server, err) < 0 ||
	    new_context(TLS_client_method(), path, &i->client, err) < 0)
		return err->code;
	fingerprint_of(SSL_CTX_get0_certificate(i->server), i->fingerprint);
	return 0;
}

int identity_open(const char *folder, const char *name, struct identity *ret, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/identity.pem", folder);

	*ret = (struct identity){ 0 };
	if (access(path, R_OK) == 0 && open_contexts(path, ret, err) == 0)
		return 0;
	identity_close(ret);
	if (make_pem(path, name, err) < 0)
		return err->code;
	return open_contexts(path, ret, err);
}

void identity_close(struct identity *i)
{
	SSL_CTX_free(i->server);
	SSL_CTX_free(i->client);
	*i = (struct identity){ 0 };
}

/* Connections. */

static int shake(SSL_CTX *context, struct stream *s, bool is_server,
		 char ret_peer[static SHA256_HEX], struct error *err)
{
	stream_set_timeout(s, STREAM_MS);
	s->ssl = SSL_new(context);
	SSL_set_fd(s->ssl, s->fd);
	if ((is_server ? SSL_accept(s->ssl) : SSL_connect(s->ssl)) != 1) {
		SSL_free(s->ssl);
		s->ssl = NULL;
		return refuse(err, "TLS");
	}
	X509 *cert = SSL_get1_peer_certificate(s->ssl);
	if (!cert)
		return error_set(err, -EPROTO, "TLS: no certificate");
	fingerprint_of(cert, ret_peer);
	X509_free(cert);
	return 0;
}

int peer_accept(const struct identity *i, int fd, struct stream *ret,
		char ret_peer[static SHA256_HEX], struct error *err)
{
	ret->fd = fd;
	return shake(i->server, ret, true, ret_peer, err);
}

static int wait_connected(int fd, struct error *err)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	int code = 0;
	socklen_t n = sizeof(code);

	if (poll(&p, 1, CONNECT_MS) != 1)
		return error_set(err, -ETIMEDOUT, "no answer");
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n);
	return code ? error_set(err, -code, "%s", strerror(code)) : 0;
}

static int connect_to(const struct addrinfo *a, struct stream *ret, struct error *err)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_errno(err, "socket");
	ret->fd = fd;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
		return error_errno(err, "connect");
	if (wait_connected(fd, err) < 0)
		return err->code;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return 0;
}

static int resolve(const char *address, struct addrinfo **ret, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	AUTO_FREE char *host = xstrdup(address);
	char *colon = strrchr(host, ':');
	char *start = host;

	if (!colon)
		return error_set(err, -EINVAL, "'%.60s' is no IP:PORT", address);
	*colon = '\0';
	if (*start == '[' && colon[-1] == ']') {
		start++;
		colon[-1] = '\0';
	}
	if (getaddrinfo(start, colon + 1, &hints, ret) != 0 || !*ret)
		return error_set(err, -EINVAL, "'%.60s' is no IP:PORT", address);
	return 0;
}

int peer_connect(const struct identity *i, const char *address, const char *fingerprint,
		 struct stream *ret, struct error *err)
{
	struct addrinfo *a = NULL;
	char peer[SHA256_HEX];

	if (resolve(address, &a, err) < 0 || !a)
		return -EINVAL;
	int r = connect_to(a, ret, err);
	freeaddrinfo(a);
	if (r == 0)
		r = shake(i->client, ret, false, peer, err);
	if (r == 0 && strcmp(peer, fingerprint) != 0)
		r = error_set(err, -EPROTO, "certificate is not that of the node's annotation");
	if (r < 0) {
		stream_close(ret);
		return error_wrap(err, "helper at %s", address);
	}
	return 0;
}
