"""Holds answers against botocore's service models: as they come over the wire, before botocore parses them.

botocore drops what a model does not know, so a wrong name in an answer would never be seen in what it returns.
"""
import base64
import io
import json
import re
from xml.etree import ElementTree

import boto3
from botocore.config import Config
from botocore.parsers import BaseCBORParser

REGION = "eu-central-1"
SERVICES = [
    "ec2", "elbv2", "autoscaling", "iam", "route53", "acm", "sts", "cloudwatch", "service-quotas", "ssm",
    "wafv2",
]
# Route 53's model has no namespace; its API reference shows this one.
ROUTE_53 = "https://route53.amazonaws.com/doc/2013-04-01/"
# EC2 answers some calls with this although its model says nothing of an answer (EC2 API reference, DeleteVolume).
BEYOND_MODEL = {"return"}
# "For an internet gateway, the state is `available` when attached to a VPC" (EC2 API reference,
# InternetGatewayAttachment), which its own list of values does not have.
# ACM says RSA-2048 where its list has RSA_2048 (AWS CLI reference, the example of describe-certificate).
BEYOND_VALUES = {("AttachmentStatus", "available"), ("KeyAlgorithm", "RSA-2048")}
# Errors that any operation may end in (each service's "Common errors").
COMMON_ERRORS = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InternalFailure",
    "InvalidAction", "InvalidParameterCombination", "InvalidParameterValue", "MissingAction", "MissingParameter",
    "RequestExpired", "ServiceUnavailable", "Throttling", "ThrottlingException", "UnknownOperationException",
    "ValidationError", "ValidationException",
}

# Those of EC2, whose model names none ("Error codes for the Amazon EC2 API"): what these calls can end in.
EC2_ERRORS = {
    "AuthFailure", "CannotDelete", "DependencyViolation", "DryRunOperation", "IdempotentParameterMismatch",
    "InsufficientInstanceCapacity", "InstanceLimitExceeded", "InternalError", "InvalidAMIID.Malformed",
    "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidAction", "InvalidGroup.Duplicate",
    "InvalidGroup.NotFound", "InvalidGroup.Reserved", "InvalidGroupId.Malformed", "InvalidID",
    "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "InvalidInstanceType",
    "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed", "InvalidKeyPair.Duplicate",
    "InvalidKeyPair.NotFound", "InvalidLaunchTemplateId.Malformed", "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateName.AlreadyExistsException",
    "InvalidLaunchTemplateName.MalformedException", "InvalidLaunchTemplateName.NotFoundException",
    "InvalidMaxResults", "InvalidNetworkInterface.InUse", "InvalidNetworkInterfaceID.NotFound",
    "InvalidNetworkInterfaceId.Malformed", "InvalidNextToken", "InvalidPaginationToken", "InvalidParameter",
    "InvalidParameterCombination", "InvalidParameterValue", "InvalidPermission.Duplicate",
    "InvalidPermission.Malformed", "InvalidPermission.NotFound", "InvalidRouteTableID.NotFound",
    "InvalidRouteTableId.Malformed", "InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "InvalidTagKey.Malformed", "InvalidUserID.Malformed",
    "InvalidVolume.NotFound", "InvalidVolumeID.Malformed", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound",
    "MissingAction", "MissingInput", "MissingParameter", "NatGatewayMalformed", "NatGatewayNotFound",
    "OperationNotPermitted", "OptInRequired", "RequestLimitExceeded", "RulesPerSecurityGroupLimitExceeded",
    "TagLimitExceeded", "UnauthorizedOperation", "UnknownParameter", "Unsupported", "UnsupportedOperation",
    "VPCIdNotSpecified", "VcpuLimitExceeded", "VolumeInUse",
}


class Watch:
    """What was answered, and what of it the models do not allow."""

    def __init__(self, url):
        self.url = url
        self.answers = 0
        self.findings = []
        self.last = None

    def client(self, service):
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=True)
        client = boto3.client(service, region_name=REGION, endpoint_url=self.url, config=config)
        client.meta.events.register("before-parse.*.*", self.seen)
        return client

    def seen(self, operation_model, response_dict, **_):
        self.answers += 1
        self.last = response_dict
        answer = Answer(operation_model, response_dict)
        answer.check()
        self.findings += [finding for finding in answer.findings if finding not in self.findings]


class Answer:
    def __init__(self, operation, response):
        self.operation, self.findings = operation, []
        self.service = operation.service_model.service_name
        self.protocol = operation.service_model.resolved_protocol
        self.status, self.body, self.headers = response["status_code"], response["body"], response["headers"]

    def found(self, path, what):
        self.findings.append(f"{self.service} {self.operation.name}: {path}: {what}")

    def check(self):
        if not any(name.lower().startswith("x-amzn-requestid") for name in self.headers):
            self.found("headers", "no x-amzn-RequestId")
        if self.protocol in ("ec2", "query", "rest-xml"):
            root = ElementTree.fromstring(self.body)
            return self.xml_error(root) if self.status >= 300 else self.xml(root)
        if self.protocol == "smithy-rpc-v2-cbor":
            tree = BaseCBORParser().parse_data_item(io.BytesIO(self.body)) if self.body else {}
        else:
            tree = json.loads(self.body or b"{}")
        if self.status >= 300:
            return self.error_code(tree.get("__type", "").rsplit("#")[-1])
        if self.operation.output_shape is not None:
            self.tree(self.operation.output_shape, tree, "")

    # XML

    def namespace(self):
        wanted = self.operation.service_model.metadata.get("xmlNamespace") or ROUTE_53
        return wanted.rstrip("/")

    def xml(self, root):
        namespace, name = split(root.tag)
        if namespace.rstrip("/") != self.namespace():
            self.found(name, f"its namespace is {namespace!r}, not {self.namespace()!r}")
        expected = f"{self.operation.name}Response"
        if name != expected:
            self.found(name, f"the answer is not called {expected}")
        shape = self.operation.output_shape
        children = list(root)
        if self.protocol == "ec2":
            if not [one for one in children if split(one.tag)[1] == "requestId"]:
                self.found(name, "no requestId")
            children = [one for one in children if split(one.tag)[1] != "requestId"]
        if self.protocol == "query":
            if not [one for one in children if split(one.tag)[1] == "ResponseMetadata"]:
                self.found(name, "no ResponseMetadata")
            children = [one for one in children if split(one.tag)[1] != "ResponseMetadata"]
            wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
            if shape is not None and (len(children) != 1 or split(children[0].tag)[1] != wrapper):
                return self.found(name, f"no {wrapper} alone in it")
            children = list(children[0]) if children and shape is not None else children
        if shape is None:
            for child in children:
                if split(child.tag)[1] not in BEYOND_MODEL:
                    self.found(split(child.tag)[1], "the model has no output")
            return None
        if self.protocol == "rest-xml" and shape.serialization.get("payload"):
            payload = shape.serialization["payload"]
            return self.structure(shape.members[payload], children, "")
        return self.structure(shape, children, "")

    def structure(self, shape, children, path):
        members = {}
        for name, member in shape.members.items():
            if member.serialization.get("location") in (None, "body"):
                flat = member.type_name == "list" and member.serialization.get("flattened")
                wire = member.serialization.get("name", name)
                if flat:
                    wire = member.member.serialization.get("name", wire)
                members[wire] = (name, member)
        seen = {}
        for child in children:
            seen.setdefault(split(child.tag)[1], []).append(child)
        for wire, elements in seen.items():
            if wire not in members:
                if wire not in BEYOND_MODEL:
                    self.found(f"{path}{wire}", "the model does not know it")
                continue
            name, member = members[wire]
            if member.type_name == "list" and member.serialization.get("flattened"):
                for element in elements:
                    self.element(member.member, element, f"{path}{name}[]")
                continue
            if len(elements) > 1:
                self.found(f"{path}{name}", "it is there more than once")
            for element in elements:
                self.element(member, element, f"{path}{name}")
        for name in shape.required_members:
            member = shape.members[name]
            if member.serialization.get("location") is None and member.serialization.get("name", name) not in seen:
                self.found(f"{path}{name}", "it is required and missing")

    def element(self, shape, element, path):
        if shape.type_name == "structure":
            if (element.text or "").strip():
                self.found(path, f"text {element.text!r} in a structure")
            return self.structure(shape, list(element), f"{path}.")
        if shape.type_name == "list":
            wanted = shape.member.serialization.get("name", "member")
            for child in element:
                # Items of EC2 are always called so, whatever the model calls them.
                allowed = {wanted, "item"} if self.protocol == "ec2" else {wanted}
                if split(child.tag)[1] not in allowed:
                    self.found(f"{path}[]", f"it is called {split(child.tag)[1]}, not {wanted}")
                self.element(shape.member, child, f"{path}[]")
            if (element.text or "").strip():
                self.found(path, f"text {element.text!r} in a list")
            return None
        if shape.type_name == "map":
            return None
        if len(element):
            return self.found(path, f"elements in a {shape.type_name}")
        return self.scalar(shape, element.text or "", path)

    def xml_error(self, root):
        namespace, name = split(root.tag)
        if self.protocol == "ec2":
            codes = root.findall("./Errors/Error/Code")
            if name != "Response" or len(codes) != 1 or root.find("./RequestID") is None:
                return self.found(name, "an error of EC2 is Response/Errors/Error and RequestID")
            elif codes[0].text not in EC2_ERRORS:
                self.found("error", f"{codes[0].text} is none of EC2's")
            return None
        if namespace.rstrip("/") != self.namespace():
            self.found(name, f"an error's namespace is {namespace!r}, not {self.namespace()!r}")
        inside = {split(one.tag)[1]: one for one in root}
        error = {split(one.tag)[1]: one.text for one in inside.get("Error", [])}
        if name not in ("ErrorResponse", "InvalidChangeBatch") or "RequestId" not in inside:
            self.found(name, "an error is ErrorResponse with Error and RequestId")
        return self.error_code(error.get("Code"))

    def error_code(self, code):
        documented = set(COMMON_ERRORS)
        for shape in self.operation.error_shapes:
            documented |= {shape.name, shape.metadata.get("error", {}).get("code", shape.name)}
        if code not in documented:
            self.found("error", f"{code} is none that the model has for it")

    # JSON and CBOR

    def tree(self, shape, value, path):
        if shape.type_name == "structure":
            if not isinstance(value, dict):
                return self.found(path, f"{value!r} is no structure")
            for name, inner in value.items():
                if name not in shape.members:
                    self.found(f"{path}{name}", "the model does not know it")
                elif inner is None:
                    self.found(f"{path}{name}", "it is null")
                else:
                    self.tree(shape.members[name], inner, f"{path}{name}.")
            for name in shape.required_members:
                if name not in value:
                    self.found(f"{path}{name}", "it is required and missing")
            return None
        if shape.type_name == "list":
            if not isinstance(value, list):
                return self.found(path, f"{value!r} is no list")
            for inner in value:
                self.tree(shape.member, inner, f"{path}[].")
            return None
        if shape.type_name == "map":
            return None
        kinds = {
            "string": str, "boolean": bool, "integer": int, "long": int, "double": (int, float), "float": (int, float),
        }
        kind = kinds.get(shape.type_name)
        if kind is not None and not isinstance(value, kind):
            return self.found(path, f"{value!r} is no {shape.type_name}")
        if shape.type_name == "string":
            self.scalar(shape, value, path)
        return None

    # Both

    def scalar(self, shape, text, path):
        patterns = {
            "boolean": r"true|false",
            "integer": r"-?\d+",
            "long": r"-?\d+",
            "double": r"-?\d+(\.\d+)?([eE]-?\d+)?",
            "float": r"-?\d+(\.\d+)?([eE]-?\d+)?",
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)",
        }
        pattern = patterns.get(shape.type_name)
        if pattern is not None and not re.fullmatch(pattern, text):
            self.found(path, f"{text!r} is no {shape.type_name}")
        if shape.type_name == "string":
            is_beyond = (shape.name, text) in BEYOND_VALUES
            if getattr(shape, "enum", None) and text not in shape.enum and not is_beyond:
                self.found(path, f"{text!r} is none of its values")
            most, least = shape.metadata.get("max"), shape.metadata.get("min")
            if (most is not None and len(text) > most) or (least is not None and len(text) < least):
                self.found(path, f"{text!r} has not {least} to {most} characters")
        if shape.type_name == "blob":
            base64.b64decode(text)


def split(tag):
    """Namespace and name of an element."""
    return tuple(tag[1:].split("}", 1)) if tag.startswith("{") else ("", tag)
