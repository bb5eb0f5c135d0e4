/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-migrate: moves running containers between nodes. */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/option.h"
#include "build.h"
#include "helper.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, HELP_WIDTH = 100 };

static const struct option options[] = {
	OPT_STRING(0, "node-name", struct args, node_name, "NAME",
		   "this node's name in Kubernetes (default $NODE_NAME)"),
	OPT_STRING(0, "kubeconfig", struct args, kubeconfig, "FILE",
		   "how to reach the API server (default: as kubectl, or the service account)",
		   .complete = "file"),
	OPT_STRING(0, "containerd", struct args, socket, "FILE", "containerd's socket",
		   .preset = "/run/containerd/containerd.sock", .complete = "file"),
	OPT_STRING(0, "folder", struct args, folder, "DIR",
		   "where archives are kept while they are needed: on a tmpfs, the same path for "
		   "containerd",
		   .preset = "/run/mckube-migrate", .complete = "directory"),
	OPT_STRING(0, "listen", struct args, listen, "IP:PORT",
		   "where the helpers of other nodes fetch archives", .preset = "0.0.0.0:9810"),
	OPT_STRING(0, "address", struct args, address, "IP:PORT",
		   "how they reach that (default $NODE_IP and the port of --listen)"),
	OPT_STRING(0, "host-root", struct args, host_root, "DIR",
		   "where the host's root is mounted: criu is asked for its version there",
		   .preset = "", .complete = "directory"),
	OPT_DURATION(0, "pause-limit", struct args, pause_ns,
		     "a container that stands still for so long without being sent is resumed",
		     .preset = "30s"),
	OPT_INT('v', "v", struct args, verbosity, 0, 10, "N", "log verbosity (0-10)",
		.preset = "0"),
	OPT_BOOL(0, "version", struct args, is_version, "show the version"),
	OPT_BOOL('h', "help", struct args, is_help, "show this help"),
	{},
};

static void print_help(void)
{
	AUTO(str_done) struct str text = STR_INIT;

	option_help(options, HELP_WIDTH, &text);
	printf("mckube-migrate moves running containers with their memory between nodes, as pods'\n"
	       "annotations say. It needs containerd's socket, which is root on the node.\n\n"
	       "Usage:\n  mckube-migrate [options]\n\nOptions:\n%s",
	       text.s);
}

static int complete_args(struct args *args, struct arena *arena, struct error *err)
{
	const char *ip = getenv("NODE_IP");

	if (!args->node_name && !(args->node_name = getenv("NODE_NAME")))
		return error_set(err, -EINVAL, "--node-name: must be given");
	if (args->address)
		return 0;
	const char *port = strrchr(args->listen, ':');
	if (!ip || !port)
		return error_set(err, -EINVAL, "--address: must be given");
	AUTO(str_done) struct str text = STR_INIT;
	str_addf(&text, strchr(ip, ':') ? "[%s]%s" : "%s%s", ip, port);
	args->address = arena_strndup(arena, text.s, text.n);
	return 0;
}

static int run(int argc, char **argv, struct error *err)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct args args = { 0 };
	struct option_list words = { 0 };
	struct option_set sets[] = { { "Options", options, &args }, {} };

	int r = option_parse(sets, argc - 1, argv + 1, &arena, &words, err);
	log_set_level(args.verbosity);
	if (r == 0 && words.n)
		r = error_set(err, -EINVAL, "unknown argument \"%s\"", words.items[0]);
	else if (r == 0 && args.is_help)
		print_help();
	else if (r == 0 && args.is_version)
		printf("mckube-migrate: %s\n", MCKUBE_VERSION);
	else if (r == 0 && (r = complete_args(&args, &arena, err)) == 0)
		r = helper_run(&args, err);
	option_done(sets);
	array_done(&words);
	return r;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	if (run(argc, argv, &err) == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: %s\n", err.msg);
	return EXIT_ERROR;
}
