"""What jsonschema says of documents: `validate.py FILE`, which holds {"schema": …, "documents": […]}.

Prints a JSON list with the errors of each document, which is empty where it fits.
"""

import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1], encoding="utf-8") as file:
    asked = json.load(file)
Draft202012Validator.check_schema(asked["schema"])
validator = Draft202012Validator(asked["schema"])
print(json.dumps([[error.message for error in validator.iter_errors(one)] for one in asked["documents"]]))
