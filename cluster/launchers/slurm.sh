# What follows is the same for all jobs. It starts Ray on each node, runs the command on that cluster, and ends Ray.
#
# USR1, which Slurm sends to this script before the time limit, stops the command in order and queues the job again.
# TERM stops it in order: somebody ended the job, or it makes way for another and is queued again.
set -u
unset RAY_AUTH_TOKEN RAY_ADDRESS # a user's own are for other clusters
[ "$SLURM_NNODES" -gt 1 ] || export RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 # on a single node, Ray keeps to loopback: loopback_only.py

run="$private/run-$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}"
rm -rf "$private"/run-*
mkdir -m 700 "$run" && mkdir "$run/up" || exit 1
second=''
trap 'kill $second 2>/dev/null; rm -rf "$run"' EXIT
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$run/token"
(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$RAY_AUTH_TOKEN_PATH")

driver='' ending=''
say() { echo "$(date '+%F %T') job $SLURM_JOB_ID: $*"; }

stop() { # why, how many seconds it may take, what to say
  [ -z "$ending" ] || return 0
  ending=$1
  say "$3"
  [ -n "$driver" ] || return 0
  kill -TERM "$driver" 2>/dev/null
  (
    trap 'kill "$pause"' TERM
    sleep "$2" &
    pause=$!
    wait "$pause" && kill -TERM "$driver" # a second one ends it at once
  ) 2>/dev/null &
  second=$!
}
trap 'stop limit $((warning_s * 3 / 4)) "the time limit is near: stopping in order, to be queued again"' USR1
trap 'stop told "$kill_wait_s" "told to end: stopping in order"' TERM

await() { # however often a signal comes between
  while kill -0 "$1" 2>/dev/null; do wait "$1"; done
}

srun --nodes="$SLURM_NNODES" --ntasks="$SLURM_NNODES" --ntasks-per-node=1 --cpus-per-task="$SLURM_CPUS_ON_NODE" \
  --no-kill --kill-on-bad-exit=0 --wait=0 "${python[@]}" -m cluster.launchers.node "$run" $$ &
nodes=$!

end_nodes() {
  kill -USR1 "$nodes" 2>/dev/null # srun hands it on to every node
  await "$nodes"
}

finish() { # exit code, what to say
  end_nodes
  say "$2"
  rm -f "$ticket"
  exit "$1"
}

up() { find "$run/up" -type f ! -name '.*' | wc -l; }
until [ "$(up)" -ge "$SLURM_NNODES" ]; do
  kill -0 "$nodes" 2>/dev/null || finish 1 "Ray did not start; what it said stands above"
  [ "$SECONDS" -lt "$join_s" ] || finish 1 "only $(up) of $SLURM_NNODES nodes have joined within $join_s s"
  [ "$ending" != limit ] || finish 1 "the time limit came before Ray was there: ask for more time"
  [ "$ending" != told ] || break
  sleep 1
done

code=0
if [ -z "$ending" ]; then
  say "Ray runs on $SLURM_NNODES of $SLURM_NNODES nodes: $SLURM_JOB_NODELIST"
  [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || once=()
  "${python[@]}" "${command[@]}" ${once[@]+"${once[@]}"} --on "$(cat "$run/address")" &
  driver=$!
  await "$driver"
  wait "$driver"
  code=$?
fi
end_nodes

state() { squeue --noheader --jobs="$SLURM_JOB_ID" --states=all --format=%T; }
if [ "$code" = 0 ] || [ "$code" -ge 128 ]; then
  # Told to end, but the job counts as running: it makes way for another, and nobody has ended it.
  if [ "$ending" = limit ] || { [ "$ending" = told ] && [ "$(state)" = RUNNING ]; }; then
    say "queued again, to go on"
    scontrol requeue "$SLURM_JOB_ID" && exit 0
  fi
fi
finish "$code" "ended with exit code $code"
