#!/bin/sh
# Says how many whole days a number of seconds is, without starting a process for each job.
while IFS= read -r job; do
  seconds=${job#*'"seconds":'}
  seconds=${seconds%%[!0-9]*}
  if [ -z "$seconds" ]; then
    echo '{"status": "dead", "message": "the payload has no seconds"}'
  else
    echo "{\"status\": \"ok\", \"result\": $((seconds / 86400))}"
  fi
done
