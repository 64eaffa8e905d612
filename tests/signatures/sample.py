"""Every so-many-th case of standard input, where cases and the Python library's verdicts take turns."""

import json
import sys

lines = sys.stdin.read().splitlines()
for case, verdict in list(zip(lines[::2], lines[1::2]))[:: int(sys.argv[1])]:
    case = json.loads(case)
    case.setdefault("expected", verdict == "true")
    # Long ones show nothing that short ones don't.
    if len(case["body"]) < 3000:
        print(json.dumps(case))
