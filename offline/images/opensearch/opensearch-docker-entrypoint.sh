#!/bin/bash
# Runs one OpenSearch node. Every variable whose name has a dot in it is a setting: network.host, discovery.type.
set -euo pipefail
case ${1:-} in
  '' | opensearch) ;;
  *) exec "$@" ;;
esac
home=/usr/share/opensearch
while IFS='=' read -r -d '' name value; do
  [[ $name =~ ^[a-z0-9_]+\.[a-z0-9_.]+$ && $name != http.port ]] && printf '%s: "%s"\n' "$name" "$value"
done < <(env --null) > "$home/config/opensearch.yml"
port=$(env --null | sed -z -n 's/^http\.port=//p' | tr -d '\0')
# the runner counts its nodes from one and adds that to the base port
# shellcheck disable=SC2086
exec java -XX:+UseSerialGC -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djava.io.tmpdir=/tmp ${OPENSEARCH_JAVA_OPTS:-} \
  -cp "$home/lib/*" org.codelibs.opensearch.runner.OpenSearchRunner \
  -basePath /tmp/opensearch -confPath "$home/config" -dataPath "$home/data" -logsPath "$home/logs" \
  -numOfNode 1 -baseHttpPort "$((${port:-9200} - 1))" -clusterName opensearch
