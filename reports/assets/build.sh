#!/bin/sh
# Rebuilds echarts.min.js from npm's echarts. Needs node with npm; the result is committed, so only a change of
# entry.js or of a version below needs this.
set -eu
echarts=5.6.0 esbuild=0.25.0
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/entry.js" "$work/"
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund "echarts@$echarts" "esbuild@$esbuild"
npx esbuild entry.js --bundle --minify --format=iife --target=es2020 --charset=utf8 --legal-comments=none \
	--banner:js="/* Apache ECharts $echarts (Apache-2.0), with zrender and d3 parts (BSD-3-Clause), tslib (0BSD); see the NOTICE and LICENSE files of collbench's reports/assets */" \
	--outfile="$here/echarts.min.js"
cp node_modules/echarts/LICENSE "$here/LICENSE-echarts"
cp node_modules/echarts/NOTICE "$here/NOTICE-echarts"
cp node_modules/echarts/licenses/LICENSE-d3 "$here/LICENSE-d3"
cp node_modules/zrender/LICENSE "$here/LICENSE-zrender"
cp node_modules/tslib/LICENSE.txt "$here/LICENSE-tslib"
