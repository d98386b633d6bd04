#!/bin/sh
# Writes where monitoring is into the collector's configuration: the new content is there whole, or the old one still is.
set -eu
file=${MONITORING_CONF:-../../.drover/monitoring.conf}
mkdir -p "$(dirname "$file")"
{
  echo '# written by configure.sh'
  for sink in $DROVER_INSTANCES; do
    echo "sink = $sink"
  done
} > "$file.new"
mv "$file.new" "$file"
echo "sends to $DROVER_INSTANCES"
