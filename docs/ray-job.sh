#!/bin/sh
# Proposes on a bucket of photos and exports the result, as one Ray job; submitted unchanged to any cluster that has
# hand-mesh-annotator[cluster] installed on all machines (docs/ray-job.yaml makes one).
#
#   RAY_API_SERVER_ADDRESS=http://HEAD:8265 PHOTOS=s3://bucket/frames PROJECT=/shared/project sh docs/ray-job.sh
#
# Needs ray[default] here and on the head; RAY_AUTH_MODE=token where the cluster asks for a token.
# PHOTOS: a folder, pattern, Parquet file or URL. PROJECT: a folder that the head can write; sent again, the job goes on.
# GPUS: of each worker (0.25: four of them share one). BATCH: photos a worker takes at a time.
set -eu
: "${PHOTOS:?where the photos are}" "${PROJECT:?where the project is to be}"
ray job submit --runtime-env-json '{"env_vars": {"RAY_ADDRESS": "auto"}}' -- \
    annotator propose "$PHOTOS" --project "$PROJECT" --engine ray \
    --worker-cpus "${CPUS:-2}" --worker-gpus "${GPUS:-0}" --batch "${BATCH:-64}" --json
