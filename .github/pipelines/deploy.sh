#!/usr/bin/env bash
# An example for Jenkins, Buildkite, TeamCity, cron or a terminal: plan, apply what was planned, verify. It is run beside
# deploy.yaml, with credentials in the environment as every AWS tool takes them. A test runs it in the sandbox.
set -euo pipefail

code=0
deploy plan --exit-code --save plan.json || code=$?
case $code in
    0) echo "nothing to change" ;;
    3) deploy up --plan plan.json ;;
    # 2: deploy.yaml is wrong; 4: refused; 8: something with our name is not ours. `deploy explain 8` says more.
    *) exit "$code" ;;
esac

# 3: it works, and differs from deploy.yaml; 6: it does not work. Reports are written in every case.
deploy verify --count 3 --junit verify.xml --html verify.html
