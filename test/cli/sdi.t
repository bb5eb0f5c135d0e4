#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# the environment that the SDI migration service's Deployment gives, and what stands for it here
. "$(dirname "$0")/lib.sh"

# A setting of the plan's, of the section migration.
setting() {
	"$MCKUBE" plan --snapshot $SNAPSHOT -o json |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["spec"]["settings"].get("migration", {}).get(sys.argv[1]))' "$1"
}

settings() {
	for key in enabled threshold checkSeconds checkpoint; do
		printf '%s ' "$(setting $key)"
	done
}

# The seed's table of variables, with its defaults.
sdi() {
	INFLUX_URL=http://influxdb.tbot-monitoring.svc.cluster.local:8086 INFLUX_ORG=keti INFLUX_BUCKET=turtlebot \
		INFLUX_TOKEN=t POLICY_ENGINE_URL=http://policy-engine.orchestration-engines.svc.cluster.local:8080 \
		ANALYSIS_ENGINE_URL=http://analysis-engine.orchestration-engines.svc.cluster.local:8080 \
		MIGRATION_CHECK_INTERVAL=30 RESOURCE_PRESSURE_THRESHOLD=85 ENABLE_CHECKPOINTING=true "$@"
}

none=$(setting enabled)
is "its environment alone switches nothing on" "$(sdi setting enabled)" "$none"
is "its defaults are ours" "$(MCKUBE_MIGRATION_ENABLED=true sdi settings)" "$(MCKUBE_MIGRATION_ENABLED=true settings)"
is "other values count" \
	"$(MCKUBE_MIGRATION_ENABLED=true MIGRATION_CHECK_INTERVAL=45 RESOURCE_PRESSURE_THRESHOLD=75 \
		ENABLE_CHECKPOINTING=False settings)" "True 750000 45 False "
MIGRATION_CHECK_INTERVAL=soon check "one that cannot be read is named" -c 1 \
	-e '^error: environment variable MIGRATION_CHECK_INTERVAL: must be a whole number' -- plan --snapshot $SNAPSHOT
ANALYSIS_ENGINE_URL=http://a check "ANALYSIS_ENGINE_URL is not used, which -v says" -c 1 \
	-e 'ANALYSIS_ENGINE_URL: not used' -- plan --snapshot $SNAPSHOT -v1 --ask-policy
for name in MIGRATION_CHECK_INTERVAL RESOURCE_PRESSURE_THRESHOLD ENABLE_CHECKPOINTING POLICY_ENGINE_URL INFLUX_URL \
	INFLUX_ORG INFLUX_BUCKET INFLUX_TOKEN ANALYSIS_ENGINE_URL; do
	check "help config has $name" -o "^  $name  *[-a-z]" -- help config
done
check "so has the manual page" -o 'ANALYSIS_ENGINE_URL' -- __man

# What manifests --migration gives to the Deployment of watch, and its log.
"$MCKUBE" manifests --migration >objects.yaml
python3 - "$TOP/README.md" <<'PY' >found
import re, shlex, sys, yaml
objects = [o for o in yaml.safe_load_all(open("objects.yaml")) if o]
watch, = (o for o in objects if o["kind"] == "Deployment")
container, = watch["spec"]["template"]["spec"]["containers"]
refs = {kind: ref["name"] for entry in container["envFrom"] for kind, ref in entry.items() if kind.endswith("Ref")}
data, = (o["data"] for o in objects if o["kind"] == "ConfigMap" and o["metadata"]["name"] == refs["configMapRef"]
         and o["metadata"]["namespace"] == watch["metadata"]["namespace"])
secret, = (o["stringData"] for o in objects if o["kind"] == "Secret" and o["metadata"]["name"] == refs["secretRef"]
           and o["metadata"]["namespace"] == watch["metadata"]["namespace"])
with open("environment", "w") as out:
    for name, value in {**data, **secret}.items():
        out.write(f"export {name}={shlex.quote(value)}\n")
print(*sorted({**data, **secret}))
command = re.search(r"`kubectl logs -n (\S+) -l (\S+)`", open(sys.argv[1]).read())
key, value = command[2].split("=")
assert command[1] == watch["metadata"]["namespace"] and watch["spec"]["template"]["metadata"]["labels"][key] == value
others = [o for o in objects if o["kind"] in ("DaemonSet", "Deployment", "CronJob") and o is not watch and
          o["spec"].get("template", {}).get("metadata", {}).get("labels", {}).get(key) == value]
assert not others, others
print("log: " + command[0])
PY
is "its ConfigMap and Secret have the service's variables" "$(sed -n 1p found)" \
	"ENABLE_CHECKPOINTING INFLUX_BUCKET INFLUX_ORG INFLUX_TOKEN INFLUX_URL MCKUBE_MIGRATION_ENABLED MIGRATION_CHECK_INTERVAL POLICY_ENGINE_TOKEN POLICY_ENGINE_URL RESOURCE_PRESSURE_THRESHOLD"
grep -q '^log: ' found && ok "the log that the README names is that of the Deployment" ||
	not_ok "the log that the README names is that of the Deployment"
is "with them moves are on" "$(. ./environment && settings)" "True 850000 30 True "
done_testing
