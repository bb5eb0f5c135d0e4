/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>

#include "base/man.h"
#include "base/names.h"
#include "build.h"
#include "migrate_agent/helper.h"

enum { HELP_WIDTH = 100, COMPLETE_FILES = 0, COMPLETE_NO_FILES = 4 };

const struct option helper_options[] = {
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
	OPT_STRING(
		0, "cgroup-root", struct args, cgroup_root, "DIR",
		"where the host's cgroups are mounted: a pod that was sent is frozen there, so that "
		"its kubelet cannot start it again",
		.preset = "/sys/fs/cgroup", .complete = "directory"),
	OPT_DURATION(0, "pause-limit", struct args, pause_ns,
		     "a container that stands still for so long without being sent is resumed",
		     .preset = "30s"),
	OPT_DURATION(0, "pause-limit-per-gib", struct args, pause_gib_ns,
		     "... and so much longer for each GiB of memory that its pod has",
		     .preset = "60s"),
	OPT_INT('v', "v", struct args, verbosity, 0, 10, "N", "log verbosity (0-10)",
		.preset = "0"),
	OPT_BOOL(0, "version", struct args, is_version, "show the version"),
	OPT_BOOL('h', "help", struct args, is_help, "show this help"),
	{},
};

static const char examples[] = "  # as a service of the host, with an account of its own\n"
			       "  mckube-migrate --node-name edge-1 --address 192.0.2.11:9810 \\\n"
			       "      --kubeconfig /etc/mckube/migrate.kubeconfig\n"
			       "\n"
			       "  # the containerd of k3s\n"
			       "  mckube-migrate --node-name edge-1 --address 192.0.2.11:9810 \\\n"
			       "      --containerd /run/k3s/containerd/containerd.sock\n";

static const char description[] =
	"mckube-migrate runs on the nodes between which running containers may be moved with their "
	"memory. \"kubectl mckube manifests --checkpoints\" prints its DaemonSet, which runs on nodes "
	"with the label " NODE_MIGRATE_LABEL "=true.\n\n"
	"A move is asked for by annotations of a pod, which \"kubectl mckube\" writes: \"migrate\", "
	"\"drain\", and a plan that relieves a node. On the pod's node the helper pauses its "
	"containers and has containerd write a checkpoint of each; on the target, containerd pulls "
	"the checkpoint as an image of localhost:9809, where the helper passes it on from the other "
	"one, and restores it. Between the helpers is TLS 1.3: each knows the other's certificate "
	"by its fingerprint, in an annotation of the node.\n\n"
	"Until the last bytes of an archive have been sent the helper resumes the containers by itself "
	"when anything fails or the time of --pause-limit is over; from then on only when the API server says that "
	"the new pod is gone. So it never happens that both run. CRIU that is still at work then is "
	"killed first: it would stop the containers again.\n\n"
	"CRIU does not keep which CPUs single threads are held to (sched_setaffinity). The helper of "
	"the source reads that, and the one of the target sets it when the containers run: the same "
	"places among the CPUs of the container, whichever these are there. Threads for which that "
	"fails may run on all of them, which the move's result and Event tell.\n\n"
	"A StatefulSet's new pod has the name of the old one. There the target pulls the checkpoint "
	"ahead, then the old pod is deleted at once, and its helper ends what is left of it; while the "
	"old pod is there, it is resumed after --pause-limit. The target's Node holds the move until "
	"the new pod runs, in the annotation " NODE_ARRIVALS ".";

static const char needs[] =
	"containerd 2.2.7 to 2.2.x, or 2.3.4 to 2.3.x, and CRIU 4.2 or later on its PATH. On nodes that "
	"are moved to, containerd's configuration has\n";

static const char containerd_config[] = "[plugins.'io.containerd.cri.v1.runtime']\n"
					"enable_experimental_restore_via_create = true\n";

static const char criu_text[] = "and /etc/criu/runc.conf, on all of these nodes, has\n";

static const char criu_config[] = "tcp-close\nskip-in-flight\nfile-locks\ncpu-cap cpu\n"
				  "network-lock skip\n";

static const char criu_why[] =
	"TCP connections end by a move, so the network needs no lock meanwhile: without the last line "
	"CRIU runs iptables about ten times while the containers stand still.";

static const char security[] =
	"containerd's socket is root on the node. A container that is restored has the user, the "
	"capabilities and the seccomp state of the process in the image, whatever its pod's spec says: "
	"permission to create pods on a node that restores is permission to run any process there. So "
	"it is off unless it is switched on, and \"kubectl mckube manifests --checkpoints\" brings "
	"admission policies: one that keeps images of the helpers for moves, and one with a list of "
	"permitted images. An archive is the memory of a process. It is kept in --folder, readable for "
	"root alone, served to the one node that it is for, and removed afterwards.";

static const char files[] =
	"/run/mckube-migrate/ID\n"
	"    archives of a move, and how far it is: what a restarted helper goes on from\n"
	"/run/mckube-migrate/identity.pem\n"
	"    its key and certificate\n";

static const char status[] = "0   ended by SIGTERM or SIGINT\n"
			     "1   an error, which is on standard error\n";

void options_help(struct str *out)
{
	str_addf(
		out,
		"mckube-migrate moves running containers with their memory between nodes, as pods'\n"
		"annotations say. It needs containerd's socket, which is root on the node.\n\n"
		"Usage:\n  mckube-migrate [options]\n\nExamples:\n%s\nOptions:\n",
		examples);
	option_help(helper_options, HELP_WIDTH, out);
}

void options_man(struct str *out)
{
	str_addf(out,
		 ".TH MCKUBE\\-MIGRATE 8 \"\" \"kubectl\\-mckube %s\" \"System Administration\"\n"
		 ".SH NAME\nmckube\\-migrate \\- moves running containers between nodes\n"
		 ".SH SYNOPSIS\n.B mckube\\-migrate\n[options]\n.SH DESCRIPTION\n",
		 MCKUBE_VERSION);
	man_prose(description, out);
	str_add(out, ".SH OPTIONS\n");
	option_man(helper_options, out);
	str_add(out, ".SH WHAT A NODE NEEDS\n");
	man_prose(needs, out);
	man_literal(containerd_config, out);
	man_prose(criu_text, out);
	man_literal(criu_config, out);
	man_prose(criu_why, out);
	str_add(out, ".SH SECURITY\n");
	man_prose(security, out);
	str_add(out, ".SH EXIT STATUS\n");
	man_literal(status, out);
	str_add(out, ".SH FILES\n");
	man_literal(files, out);
	str_add(out, ".SH EXAMPLES\n");
	man_literal(examples, out);
	str_add(out, ".SH SEE ALSO\n.BR kubectl\\-mckube (1),\n.BR mckube\\-node (8)\n");
}

void options_complete(int argc, char **argv, struct str *out)
{
	const struct option_set sets[] = { { .options = helper_options }, {} };
	const char *typed = argc ? argv[argc - 1] : "", *value;
	bool is_argument = false;
	const struct option *o = option_awaiting(sets, argc, argv, &value, &is_argument);

	if (o)
		option_complete_value(o, value, out);
	else if (*typed == '-' && !is_argument)
		option_complete(sets, typed, out);
	str_addf(out, ":%d\n", o && o->complete ? COMPLETE_FILES : COMPLETE_NO_FILES);
}
