/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/transfer.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

enum { EVENTS_AT_ONCE = 32 };

/* `watched` is not NULL once the socket is in the epoll. A socket that was closed has left it
 * already, so results do not matter. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *watched)
{
	struct transfer *w = arg;
	struct epoll_event event = {
		.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
		.data.fd = socket,
	};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, socket, &event);
		return 0;
	}
	epoll_ctl(w->epoll, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
	curl_multi_assign(w->multi, socket, w);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct transfer *w = arg;

	(void)multi;
	w->due_ms = timeout_ms < 0 ? INT64_MAX : clock_ms() + timeout_ms;
	return 0;
}

void transfer_open(struct transfer *w, unsigned max_connections)
{
	w->due_ms = INT64_MAX;
	w->multi = curl_multi_init();
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = w->wake_fd };
	if (!w->multi || w->epoll < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->wake_fd, &event) < 0)
		abort();
	curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
}

void transfer_close(struct transfer *w)
{
	curl_multi_cleanup(w->multi);
	close(w->epoll);
	close(w->wake_fd);
}

static int select_mask(uint32_t events)
{
	return (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
	       (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
	       (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

void transfer_wake(struct transfer *w)
{
	eventfd_write(w->wake_fd, 1);
}

static void take_event(struct transfer *w, const struct epoll_event *event)
{
	eventfd_t unused;
	int running;

	if (event->data.fd == w->wake_fd)
		w->is_woken = eventfd_read(w->wake_fd, &unused) == 0;
	else
		curl_multi_socket_action(w->multi, event->data.fd, select_mask(event->events),
					 &running);
}

void transfer_step(struct transfer *w, int timeout_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t left = w->due_ms == INT64_MAX ? timeout_ms : w->due_ms - clock_ms();
	int running, n;

	if (left < timeout_ms)
		timeout_ms = left > 0 ? (int)left : 0;
	n = epoll_wait(w->epoll, events, EVENTS_AT_ONCE, timeout_ms);
	for (int i = 0; i < n; i++)
		take_event(w, &events[i]);
	if (w->due_ms <= clock_ms()) {
		w->due_ms = INT64_MAX;
		curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}
