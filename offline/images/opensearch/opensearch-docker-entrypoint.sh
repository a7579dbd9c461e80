#!/bin/bash
# Runs one OpenSearch node; OPENSEARCH_JAVA_OPTS are options of the virtual machine.
set -euo pipefail
case ${1:-} in
  '' | opensearch) ;;
  *) exec "$@" ;;
esac
home=/usr/share/opensearch
# the quick compiler alone: half the processor time until the node is up (6 s instead of 12.7), and a smaller process
# shellcheck disable=SC2086
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djava.io.tmpdir=/tmp \
  --enable-native-access=ALL-UNNAMED ${OPENSEARCH_JAVA_OPTS:-} -cp "$home/lib/*" Server \
  -basePath /tmp/opensearch -confPath "$home/config" -dataPath "$home/data" -logsPath "$home/logs" \
  -numOfNode 1 -clusterName opensearch
