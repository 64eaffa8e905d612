"""Compares the three judges, and what libraries say of outgoing webhooks with what they must say.

Arguments: the cases, each judge's answers, the webhooks, each library's answers. The last line is "N passed, N failed".
"""

import json
import sys
from collections import Counter

cases = [json.loads(line) for line in open(sys.argv[1])]
python, node, ours = ([line.strip() == "true" for line in open(path)] for path in sys.argv[2:5])
assert len(cases) == len(python) == len(node) == len(ours), "a judge has not said something of every case"

passed, failed, kinds = 0, 0, Counter()
for case, python, node, ours in zip(cases, python, node, ours):
    if "expected" in case:
        right = ours == case["expected"]
    else:
        right = python == node == ours
    kinds[case["kind"], python, node, ours] += 1
    passed, failed = passed + right, failed + (not right)
    if not right and failed <= 10:
        print(f"case {case['number']} ({case['kind']}): Python {python}, Node.js {node}, this service {ours}, of {case['url']}", file=sys.stderr)

print(f"{'kind':32} Python Node.js service  cases")
for (kind, *says), count in sorted(kinds.items()):
    python, node, ours = ("yes" if said else "no" for said in says)
    print(f"{kind:32} {python:6} {node:7} {ours:7} {count:6}")
webhooks = [json.loads(line) for line in open(sys.argv[5])]
judged = Counter()
for path in sys.argv[6:]:
    library, says = path.rsplit("-", 1)[1], [line.strip() == "true" for line in open(path)]
    assert len(says) == len(webhooks), f"{library} has not said something of every webhook"
    for case, said in zip(webhooks, says):
        right = said == case["expected"]
        judged[case["kind"], library, said] += 1
        passed, failed = passed + right, failed + (not right)
        if not right and failed <= 10:
            print(f"webhook {case['id']} ({case['kind']}): {library} says {said}", file=sys.stderr)
print(f"\n{'webhook signed with':32} library          taken  cases")
for (kind, library, said), count in sorted(judged.items()):
    print(f"{kind:32} {library:16} {'yes' if said else 'no':5} {count:6}")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
