#!/bin/sh
# In earnest this would page somebody; here it is a line in a file.
set -eu
file=${MONITORING_NEWS:-../../.drover/monitoring.news}
mkdir -p "$(dirname "$file")"
echo "$(date -u +%FT%TZ) $DROVER_HAPPENING: $1" >> "$file"
