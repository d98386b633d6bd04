#!/bin/sh
# Stands in for chef-solo: takes its time, then says what it saw. Any command will do.
set -eu
sleep "${PROVISION_SECONDS:-1}"
printf '%s provisioned at r%s because %s\n' "$DROVER_NODE" "$DROVER_REVISION" "$DROVER_CAUSES"
