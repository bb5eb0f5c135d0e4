/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/late.h"
#include "base/log.h"
#include "base/units.h"
#include "serve/tls_files.h"

enum { BODY_MAX = 64 << 10, TIMEOUT_S = 10, BACKLOG = 32, SWEEP_MS = 1000, STACK = 64 << 10 };
enum { RENEWAL_STACK = 256 << 10 }; /* which parses certificates */
enum { DRAIN_S = 2 };		    /* for requests under the certificate before */

/* libmicrohttpd's timeout begins again with each byte. Here a thread of its own, which sleeps while
 * there is no connection, ends what takes too long. */
struct deadlines {
	pthread_t thread;
	bool has_thread, is_ending;
	unsigned request_ms;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct open_connection {
		struct MHD_Connection *connection; /* NULL: unused */
		int fd;
		int64_t end_ms;
	} open[SERVE_CONNECTIONS];
	unsigned n_open;
};

/* Looks from time to time whether the certificate is another. */
struct renewal {
	pthread_t thread;
	bool has_thread, is_ending;
	pthread_mutex_t lock; /* of is_ending */
	pthread_cond_t ending;
	struct tls_files files;
	int fd; /* the listening socket */
};

struct serve {
	struct serve_options options;
	struct MHD_Daemon *daemon;
	struct renewal renewal;
	struct deadlines deadlines;
	char *socket_path; /* to be removed; NULL over TCP */
	char address[128];
};

/* The library, loaded late. */

#define FUNCTIONS(F)                       \
	F(MHD_start_daemon)                \
	F(MHD_stop_daemon)                 \
	F(MHD_quiesce_daemon)              \
	F(MHD_is_feature_supported)        \
	F(MHD_queue_response)              \
	F(MHD_create_response_from_buffer) \
	F(MHD_add_response_header)         \
	F(MHD_destroy_response)            \
	F(MHD_lookup_connection_value)     \
	F(MHD_get_connection_info)         \
	F(MHD_get_reason_phrase_for)

#define POINTER(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(POINTER)
} late;

#define ROW(name) LATE_ROW(late, name),
static const struct late_row rows[] = { FUNCTIONS(ROW) };

static int load(struct error *err)
{
	return late_load("libmicrohttpd.so.12", "HTTP server", rows, ARRAY_LEN(rows), &late, err);
}

/* Deadlines. */

static struct open_connection *find_open(struct deadlines *d, const struct MHD_Connection *c)
{
	for (size_t i = 0; i < SERVE_CONNECTIONS; i++)
		if (d->open[i].connection == c)
			return &d->open[i];
	return NULL;
}

/* libmicrohttpd closes the socket only after this was told that it will. */
static void on_connection(void *arg, struct MHD_Connection *c, void **state,
			  enum MHD_ConnectionNotificationCode what)
{
	struct deadlines *d = arg;
	bool is_new = what == MHD_CONNECTION_NOTIFY_STARTED;

	(void)state;
	pthread_mutex_lock(&d->lock);
	struct open_connection *o = find_open(d, is_new ? NULL : c);
	if (o) {
		*o = (struct open_connection){ 0 };
		d->n_open += is_new ? 1 : -1u;
	}
	if (o && is_new) {
		o->connection = c;
		o->fd = late.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd;
		o->end_ms = clock_ms() + d->request_ms;
	}
	pthread_cond_signal(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

/* A reply is out: the connection may bring another request. */
static void renew_deadline(struct deadlines *d, const struct MHD_Connection *c)
{
	pthread_mutex_lock(&d->lock);
	struct open_connection *o = find_open(d, c);
	if (o)
		o->end_ms = clock_ms() + d->request_ms;
	pthread_mutex_unlock(&d->lock);
}

static void *end_late_connections(void *arg)
{
	struct deadlines *d = arg;
	struct timespec next;

	pthread_mutex_lock(&d->lock);
	while (!d->is_ending) {
		for (size_t i = 0; i < SERVE_CONNECTIONS; i++)
			if (d->open[i].connection && d->open[i].end_ms <= clock_ms())
				shutdown(d->open[i].fd, SHUT_RDWR);
		if (!d->n_open) {
			pthread_cond_wait(&d->changed, &d->lock);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_sec += SWEEP_MS / MS_PER_S;
		pthread_cond_timedwait(&d->changed, &d->lock, &next);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void deadlines_start(struct deadlines *d, unsigned request_ms)
{
	pthread_attr_t attributes;

	d->request_ms = request_ms ? request_ms : SERVE_REQUEST_MS;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	d->has_thread = pthread_create(&d->thread, &attributes, end_late_connections, d) == 0;
	pthread_attr_destroy(&attributes);
}

static void deadlines_stop(struct deadlines *d)
{
	pthread_mutex_lock(&d->lock);
	d->is_ending = true;
	pthread_cond_signal(&d->changed);
	pthread_mutex_unlock(&d->lock);
	if (d->has_thread)
		pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
}

/* Requests. */

static unsigned dispatch(const struct serve *s, const struct serve_request *r, bool is_too_large,
			 struct str *reply)
{
	bool is_known = false;

	for (const struct serve_route *route = s->options.routes; route->method; route++) {
		if (strcmp(route->path, r->path) != 0)
			continue;
		is_known = true;
		if (strcmp(route->method, r->method) != 0)
			continue;
		unsigned refusal = s->options.admit ? s->options.admit(r, s->options.arg) : 0;
		if (refusal)
			return refusal;
		if (is_too_large)
			return MHD_HTTP_CONTENT_TOO_LARGE;
		return route->handler(r, s->options.arg, reply);
	}
	return is_known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, struct str *reply)
{
	if (!reply->n)
		str_addf(reply, "%s\n", late.MHD_get_reason_phrase_for(status));
	struct MHD_Response *response =
		late.MHD_create_response_from_buffer(reply->n, reply->s, MHD_RESPMEM_MUST_COPY);
	late.MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				     "text/plain; version=0.0.4; charset=utf-8");
	enum MHD_Result r = late.MHD_queue_response(c, status, response);
	late.MHD_destroy_response(response);
	return r;
}

/* libmicrohttpd calls this once for the head, then for each piece of the body, then at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *piece,
				  size_t *n, void **state)
{
	const struct serve *s = arg;
	struct str *body = *state;

	(void)version;
	if (!body) {
		*state = body = xcalloc(1, sizeof(*body));
		*body = (struct str)STR_INIT_MAX(BODY_MAX);
		return MHD_YES;
	}
	if (*n) {
		str_addn(body, piece, *n);
		*n = 0;
		return MHD_YES;
	}
	AUTO(str_done) struct str reply = STR_INIT;
	const struct serve_request r = {
		.method = method,
		.path = path,
		.authorization = late.MHD_lookup_connection_value(c, MHD_HEADER_KIND,
								  MHD_HTTP_HEADER_AUTHORIZATION),
		.body = { body->s, body->n },
		.is_unix = serve_is_unix(s),
	};
	unsigned status = dispatch(s, &r, body->is_full, &reply);
	return answer(c, status, &reply);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct serve *s = arg;
	struct str *body = *state;

	(void)why;
	renew_deadline(&s->deadlines, c);
	if (!body)
		return;
	str_done(body);
	free(body);
	*state = NULL;
}

/* Sockets. */

/* Of a socket that could not be had (errno). */
static int refuse(int fd, const char *address, struct error *err)
{
	int r = error_errno(err, "%s", address);

	if (fd >= 0)
		close(fd);
	return r;
}

static int open_unix(struct serve *s, const char *path, struct error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(path) >= sizeof(a.sun_path))
		return error_set(err, -ENAMETOOLONG, "%s is too long", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0177);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a));
	int why = errno;
	umask(before);
	errno = why;
	if (fd < 0 || r < 0)
		return refuse(fd, path, err);
	s->socket_path = xstrdup(path);
	snprintf(s->address, sizeof(s->address), "unix:%s", path);
	return fd;
}

union tcp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, in_port_t *ret)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*ret = htons((uint16_t)number);
	return *text >= '0' && *text <= '9' && !*end && number <= UINT16_MAX;
}

static bool parse_tcp(const char *address, union tcp_address *ret, socklen_t *ret_size)
{
	const char *colon = strrchr(address, ':'), *port = colon ? colon + 1 : address;
	size_t n = colon ? (size_t)(colon - address) : 0;
	bool is_v6 = n > 2 && address[0] == '[' && address[n - 1] == ']';
	AUTO_FREE char *host = is_v6   ? xstrndup(address + 1, n - 2)
			       : n     ? xstrndup(address, n)
			       : colon ? xstrdup("0.0.0.0")
				       : xstrdup("127.0.0.1");
	in_port_t number;

	memset(ret, 0, sizeof(*ret));
	ret->any.sa_family = is_v6 ? AF_INET6 : AF_INET;
	*ret_size = is_v6 ? sizeof(ret->v6) : sizeof(ret->v4);
	if (!parse_port(port, &number))
		return false;
	if (is_v6)
		ret->v6.sin6_port = number;
	else
		ret->v4.sin_port = number;
	return inet_pton(ret->any.sa_family, host,
			 is_v6 ? (void *)&ret->v6.sin6_addr : (void *)&ret->v4.sin_addr) == 1;
}

/* With the port that the kernel gave it. */
static void set_address(struct serve *s, int fd)
{
	union tcp_address a = { 0 };
	socklen_t size = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";
	bool is_v6;

	getsockname(fd, &a.any, &size);
	is_v6 = a.any.sa_family == AF_INET6;
	inet_ntop(a.any.sa_family, is_v6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr, host,
		  sizeof(host));
	snprintf(s->address, sizeof(s->address), is_v6 ? "%s://[%s]:%u" : "%s://%s:%u",
		 s->options.tls ? "https" : "http", host,
		 ntohs(is_v6 ? a.v6.sin6_port : a.v4.sin_port));
}

static int open_tcp(struct serve *s, const char *address, struct error *err)
{
	union tcp_address a;
	socklen_t size;
	int on = 1;

	if (!parse_tcp(address, &a, &size))
		return error_set(err, -EINVAL, "'%.80s' is not unix:/PATH, PORT or HOST:PORT",
				 address);
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, &a.any, size) < 0)
		return refuse(fd, address, err);
	set_address(s, fd);
	return fd;
}

/* libmicrohttpd owns the socket when it has started. NULL: it has not. */
static struct MHD_Daemon *new_daemon(struct serve *s, int fd, const struct tls_files *tls)
{
	static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, tls->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC;

	if (s->options.tls)
		flags |= MHD_USE_TLS;
	else
		options[0] = options[ARRAY_LEN(options) - 1];
	return late.MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, &s->deadlines, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)SERVE_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)SERVE_CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)TIMEOUT_S, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static int start_daemon(struct serve *s, int fd, struct error *err)
{
	s->daemon = new_daemon(s, fd, &s->renewal.files);
	if (s->daemon)
		return 0;
	close(fd);
	if (s->options.tls)
		return error_set(
			err, -EIO,
			"%s: no HTTPS daemon: %s and %s must be a certificate and its key, in PEM",
			s->address, s->options.tls->cert_file, s->options.tls->key_file);
	return error_set(err, -EIO, "%s: no HTTP daemon", s->address);
}

/* Certificates. */

/* Waits; true: the server ends. */
static bool is_ending_within(struct renewal *r, unsigned seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&r->lock);
	while (!r->is_ending && pthread_cond_timedwait(&r->ending, &r->lock, &until) == 0)
		;
	bool is_ending = r->is_ending;
	pthread_mutex_unlock(&r->lock);
	return is_ending;
}

/* A second daemon takes the new connections, then the one before ends. What does not go together is
 * left until one of the files changes again: they are not written at once. */
static void renew(struct serve *s)
{
	const struct serve_tls *tls = s->options.tls;
	struct renewal *r = &s->renewal;
	struct error err = ERROR_INIT;
	struct tls_files files;

	if (tls_files_read(tls->cert_file, tls->key_file, &files, &err) < 0) {
		log_warning("%s: the certificate stays as it is: %s", s->address, err.msg);
		return;
	}
	int fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 0);
	struct MHD_Daemon *before = s->daemon, *after = new_daemon(s, fd, &files);
	if (!after) {
		log_warning("%s: the certificate stays as it is: %s does not go with %s",
			    s->address, tls->key_file, tls->cert_file);
		memcpy(r->files.seen, files.seen, sizeof(files.seen));
		close(fd);
		tls_files_done(&files);
		return;
	}
	s->daemon = after;
	close(late.MHD_quiesce_daemon(before));
	is_ending_within(r, DRAIN_S);
	late.MHD_stop_daemon(before);
	tls_files_done(&r->files);
	r->files = files;
	log_v(0, "%s: the certificate is renewed", s->address);
}

static void *keep_renewed(void *arg)
{
	struct serve *s = arg;
	const struct serve_tls *tls = s->options.tls;
	unsigned seconds = tls->look_s ? tls->look_s : SERVE_TLS_LOOK_S;

	while (!is_ending_within(&s->renewal, seconds))
		if (tls_files_have_changed(&s->renewal.files, tls->cert_file, tls->key_file))
			renew(s);
	return NULL;
}

static int renewal_start(struct serve *s, int fd, struct error *err)
{
	struct renewal *r = &s->renewal;

	if (late.MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return error_set(err, -ENOTSUP, "this libmicrohttpd was built without TLS");
	if (tls_files_read(s->options.tls->cert_file, s->options.tls->key_file, &r->files, err) < 0)
		return err->code;
	r->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return 0;
}

static void renewal_run(struct serve *s)
{
	pthread_attr_t attributes;

	if (!s->options.tls)
		return;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, RENEWAL_STACK);
	s->renewal.has_thread =
		pthread_create(&s->renewal.thread, &attributes, keep_renewed, s) == 0;
	pthread_attr_destroy(&attributes);
}

/* Before its daemon ends. */
static void renewal_stop(struct renewal *r)
{
	pthread_mutex_lock(&r->lock);
	r->is_ending = true;
	pthread_cond_signal(&r->ending);
	pthread_mutex_unlock(&r->lock);
	if (r->has_thread)
		pthread_join(r->thread, NULL);
}

static void renewal_done(struct renewal *r)
{
	if (r->fd > 0)
		close(r->fd);
	tls_files_done(&r->files);
	pthread_cond_destroy(&r->ending);
	pthread_mutex_destroy(&r->lock);
}

static int open_and_start(struct serve *s, const char *address, struct error *err)
{
	bool is_unix = strncmp(address, "unix:", 5) == 0;

	if (load(err) < 0)
		return err->code;
	int fd = is_unix ? open_unix(s, address + 5, err) : open_tcp(s, address, err);
	if (fd < 0)
		return fd;
	int r = listen(fd, BACKLOG) < 0 ? error_errno(err, "%s", address)
		: s->options.tls	? renewal_start(s, fd, err)
					: 0;
	if (r < 0) {
		close(fd);
		return r;
	}
	if (start_daemon(s, fd, err) < 0)
		return err->code;
	renewal_run(s);
	return 0;
}

int serve_start(const char *address, const struct serve_options *options, struct serve **ret,
		struct error *err)
{
	struct serve *s = xcalloc(1, sizeof(*s));

	s->options = *options;
	pthread_mutex_init(&s->renewal.lock, NULL);
	pthread_cond_init(&s->renewal.ending, NULL);
	deadlines_start(&s->deadlines, options->request_ms);
	if (open_and_start(s, address, err) < 0) {
		serve_stop(s);
		return err->code;
	}
	*ret = s;
	return 0;
}

const char *serve_address(const struct serve *s)
{
	return s->address;
}

bool serve_is_unix(const struct serve *s)
{
	return s->socket_path != NULL;
}

void serve_stop(struct serve *s)
{
	if (!s)
		return;
	renewal_stop(&s->renewal);
	if (s->daemon)
		late.MHD_stop_daemon(s->daemon);
	renewal_done(&s->renewal);
	deadlines_stop(&s->deadlines);
	if (s->socket_path)
		unlink(s->socket_path);
	free(s->socket_path);
	free(s);
}
