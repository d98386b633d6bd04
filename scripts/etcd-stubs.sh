#!/bin/sh
# Makes src/store/etcd/generated from etcd's own protocol files: Debian packages golang-etcd-server-dev and protobuf-compiler,
# npm package @bufbuild/protoc-gen-es in the version of @bufbuild/protobuf. The result is committed.
set -eu
root=$(dirname -- "$(readlink -f -- "$0")")/..
etcd=/usr/share/gocode/src/go.etcd.io/etcd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(node -p "require('$root/package.json').dependencies['@bufbuild/protobuf']")
npm install --prefix "$work/plugin" --silent --ignore-scripts --no-save "@bufbuild/protoc-gen-es@$version"
# Options of Go's generator and of the JSON gateway: they need files of other projects and say nothing of the wire.
plain() {
  awk '/option \(google.api.http\)/ { skip = 1 } !skip { print } skip && /};/ { skip = 0 }' "$1" |
    sed -e '/gogoproto\/gogo.proto/d' -e '/google\/api\/annotations.proto/d' -e '/^option (gogoproto/d' \
      -e 's/ *\[(gogoproto[^]]*\]//' -e 's#"etcd/mvcc/mvccpb/kv.proto"#"kv.proto"#' -e 's#"etcd/auth/authpb/auth.proto"#"auth.proto"#' >"$2"
}
mkdir "$work/proto"
plain "$etcd/mvcc/mvccpb/kv.proto" "$work/proto/kv.proto"
plain "$etcd/auth/authpb/auth.proto" "$work/proto/auth.proto"
plain "$etcd/etcdserver/etcdserverpb/rpc.proto" "$work/proto/rpc.proto"
protoc -I "$work/proto" --plugin="$work/plugin/node_modules/.bin/protoc-gen-es" --es_out="$root/src/store/etcd/generated" \
  --es_opt=target=ts,import_extension=ts,erasable_syntax=true "$work"/proto/*.proto
