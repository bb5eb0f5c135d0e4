/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/filter/volume_use.h"

#include "base/array.h"
#include "plan/filter/inter_pod.h"

static const struct rules *rules_of(const struct cluster *c, pod_id pod)
{
	return &c->rules.items[c->pods.items[pod].rules];
}

static str_id claim_name(const struct cluster *c, const struct rules *rules, uint32_t i)
{
	return c->names.items[rules->claims.at + i];
}

static bool has_claim(const struct cluster *c, const struct rules *rules, str_id ns, str_id name)
{
	for (uint32_t i = 0; i < rules->claims.n && rules->ns == ns; i++)
		if (claim_name(c, rules, i) == name)
			return true;
	return false;
}

static bool is_in_use(const struct trial *t, str_id ns, str_id name, unsigned rank)
{
	for (node_id node = 0; node < t->c->nodes.n; node++)
		array_each(other, inter_pod_with_claims(t->terms, node))
			if (has_claim(t->c, rules_of(t->c, *other), ns, name) &&
			    !trial_yields(t, *other, rank))
				return true;
	return false;
}

bool volume_use_clash(const struct cluster *c, pod_id a, pod_id b)
{
	if (c->pods.items[a].rules == NONE || c->pods.items[b].rules == NONE)
		return false;

	const struct rules *rules = rules_of(c, a);
	for (uint32_t i = 0; i < rules->claims.n; i++) {
		str_id name = claim_name(c, rules, i);
		const struct claim *claim = cluster_claim(c, rules->ns, name);

		if (claim && claim->is_for_one_pod && has_claim(c, rules_of(c, b), rules->ns, name))
			return true;
	}
	return false;
}

struct attached {
	str_id driver, handle;
	bool is_new;
};

struct attachments {
	ARRAY(struct attached) known;
	int64_t n_unread; /* of whatever driver */
};

/* Whose volumes are attached: those of the new pod, of one that stays, or of one that may leave or
 * stay: then a volume that the new pod shares with it may be there already. */
enum holder { HOLDER_NEW, HOLDER_STAYS, HOLDER_YIELDS };

static void attach(struct attachments *list, const struct volume *volume, enum holder holder)
{
	array_each(a, &list->known) {
		if (a->driver == volume->driver && a->handle == volume->handle) {
			a->is_new = a->is_new && holder == HOLDER_NEW;
			return;
		}
	}
	if (holder != HOLDER_YIELDS)
		*array_add(&list->known) =
			(struct attached){ volume->driver, volume->handle, holder == HOLDER_NEW };
}

static void attach_all(struct attachments *list, const struct cluster *c, pod_id pod,
		       enum holder holder)
{
	const struct rules *rules = rules_of(c, pod);

	for (uint32_t i = 0; i < rules->claims.n; i++) {
		const struct claim *claim = cluster_claim(c, rules->ns, claim_name(c, rules, i));
		const struct volume *volume =
			claim && claim->volume ? cluster_volume(c, claim->volume) : NULL;

		bool is_unknown = (claim && claim->is_unread) || (volume && volume->is_unread) ||
				  (!volume && (c->lacks & LACKS_VOLUME));

		if (is_unknown)
			list->n_unread += holder != HOLDER_YIELDS;
		else if (volume && volume->driver && volume->handle)
			attach(list, volume, holder);
	}
}

/* Would a driver with new volumes have more than the node takes? */
static bool is_over(const struct attachments *list, const struct amount *limit)
{
	int64_t n = list->n_unread;
	bool has_new = false;

	array_each(a, &list->known) {
		n += a->driver == limit->name;
		has_new = has_new || (a->driver == limit->name && a->is_new);
	}
	return has_new && n > limit->value;
}

static bool is_over_limits(const struct trial *t, pod_id pod, node_id node, unsigned rank)
{
	const struct cluster *c = t->c;
	const struct csi_node *csi = cluster_csi_node(c, c->nodes.items[node].meta.name);
	struct attachments list = { 0 };
	bool is_one_over = false;

	bool is_unknown = csi ? csi->is_unread : c->lacks & LACKS_CSI_NODE;
	if (!is_unknown && (!csi || csi->limits.n == 0))
		return false;
	attach_all(&list, c, pod, HOLDER_NEW);
	is_one_over = list.known.n && is_unknown;
	if (list.known.n)
		array_each(other, inter_pod_with_claims(t->terms, node))
			attach_all(&list, c, *other,
				   trial_yields(t, *other, rank) ? HOLDER_YIELDS : HOLDER_STAYS);
	for (uint32_t i = 0; csi && i < csi->limits.n && list.known.n; i++)
		is_one_over = is_one_over || is_over(&list, &c->amounts.items[csi->limits.at + i]);
	array_done(&list.known);
	return is_one_over;
}

enum refusal volume_use_refuses(const struct trial *t, const struct unit *u, node_id node,
				unsigned rank)
{
	const struct rules *rules = rules_of(t->c, u->pod);

	for (uint32_t i = 0; i < rules->claims.n; i++) {
		str_id name = claim_name(t->c, rules, i);
		const struct claim *claim = cluster_claim(t->c, rules->ns, name);

		if (claim && claim->is_for_one_pod && is_in_use(t, rules->ns, name, rank))
			return REFUSE_CLAIM_IN_USE;
	}
	if (rules->claims.n && is_over_limits(t, u->pod, node, rank))
		return REFUSE_VOLUME_LIMIT;
	return REFUSE_NOTHING;
}
