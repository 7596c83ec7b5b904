"""
The signatures of src/aws are those of botocore, over thousands of made-up requests.

One process of build/test/unit/sign-requests signs them all; SIGN_REQUESTS names another one.
"""

import contextlib
import datetime
import json
import os
import random
import subprocess
import types
import unittest.mock
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import pytest

from program import PROJECT, program_path

UNRESERVED = "-_.~"
ALPHABET = "abzAZ019-_.~ +=&/:;,%#?@!$'()*[]\"<>\\^`{|}éüß日本語😀\t"
SERVICES = ["dynamodb", "ecs", "sts", "bedrock", "secretsmanager", "logs"]
REGIONS = ["us-east-1", "eu-central-1", "ap-northeast-1", "us-gov-west-1", "cn-north-1"]
MODELS = [
    "cohere.embed-multilingual-v3",
    "amazon.titan-embed-text-v2:0",
    "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc",
]
COUNT = 4000


def sign_all(orders):
    """What our signer makes of them."""
    program = os.environ.get("SIGN_REQUESTS") or program_path().parent / "test/unit/sign-requests"
    lines = "".join(json.dumps(order) + "\n" for order in orders)
    done = subprocess.run(
        [program], input=lines.encode(), stdout=subprocess.PIPE, cwd=PROJECT, timeout=120, check=True
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(orders)
    return results


@contextlib.contextmanager
def clock_at(seconds):
    """botocore's clock."""
    then = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)
    clock = types.SimpleNamespace(
        datetime=types.SimpleNamespace(utcnow=lambda: then, strptime=datetime.datetime.strptime),
        timedelta=datetime.timedelta,
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(unittest.mock.patch.object(botocore.auth, "datetime", clock))
        # Newer versions ask a function of their own.
        if hasattr(botocore.auth, "get_current_datetime"):
            stack.enter_context(
                unittest.mock.patch.object(botocore.auth, "get_current_datetime", lambda: then)
            )
        yield


class Maker:
    """Makes orders, the same ones for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, longest=12):
        return "".join(self.random.choices(ALPHABET, k=self.random.randint(0, longest)))

    def keys(self):
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+"
        return {
            "access_key": "AKIA" + "".join(self.random.choices(letters[:26], k=16)),
            "secret_key": "".join(self.random.choices(letters, k=40)),
            "token": self.random.choice([None, "".join(self.random.choices(letters + "=", k=300))]),
        }

    def parameter(self):
        name = urllib.parse.quote(self.text() or "x", safe=UNRESERVED)
        return self.random.choice([name, name + "=", name + "=" + urllib.parse.quote(self.text(), safe=UNRESERVED)])

    def query(self):
        """In no order, some names twice, some without a value."""
        parameters = [self.parameter() for _ in range(self.random.randint(0, 6))]
        if parameters and self.random.random() < 0.4:
            parameters.append(parameters[0])
            parameters.append(parameters[0].partition("=")[0] + "=again")
        self.random.shuffle(parameters)
        return "&".join(parameters)

    def object_path(self):
        """Of S3: encoded once, and with everything that another service would tidy up."""
        segments = [self.random.choice([self.text(), ".", "..", "", "a b+c=d"]) for _ in range(4)]
        return "/" + urllib.parse.quote("/".join(segments), safe=UNRESERVED + "/")

    def service_path(self):
        if self.random.random() < 0.4:
            return "/"
        if self.random.random() < 0.5:
            model = urllib.parse.quote(self.random.choice(MODELS), safe=self.random.choice(["", ":"]))
            return f"/model/{model}/invoke"
        segments = [self.random.choice([self.text(), ".", "..", "", "x"]) for _ in range(4)]
        return "/" + urllib.parse.quote("/".join(segments), safe=UNRESERVED + "/")

    def headers(self):
        possible = [
            "Content-Type: application/x-amz-json-1.1",
            "X-Amz-Target: Service_20120810.Scan",
            "Range: bytes=0-99",
            "X-Amz-Meta-Blank:   two   words  ",
            "x-amz-meta-empty: ",
            "x-amz-meta: shorter name",
            "x-amz-meta-a: longer name",
            "User-Agent: vecferry",
            "Expect: 100-continue",
        ]
        return self.random.sample(possible, self.random.randint(0, len(possible)))

    def order(self, kind):
        s3 = self.random.random() < 0.4
        port = self.random.choice(["", "", ":8443"])
        return {
            "kind": kind,
            "method": self.random.choice(["GET", "POST", "PUT", "HEAD", "DELETE"]),
            "host": self.random.choice(["example.amazonaws.com", "127.0.0.1"]) + port,
            "path": self.object_path() if s3 else self.service_path(),
            "query": self.query(),
            "headers": self.headers(),
            "body": self.random.choice([None, "", self.text(60)]),
            "service": "s3" if s3 else self.random.choice(SERVICES),
            "region": self.random.choice(REGIONS),
            "time": self.random.randrange(0, 4_000_000_000),
            "s3": s3,
            "unsigned_payload": s3 and self.random.random() < 0.5,
            **self.keys(),
        }


def botocore_request(order):
    url = f"https://{order['host']}{order['path']}"
    if order["query"]:
        url += "?" + order["query"]
    headers = dict(line.split(": ", 1) for line in order["headers"])
    request = botocore.awsrequest.AWSRequest(order["method"], url, headers, order["body"])
    s3 = {"payload_signing_enabled": not order["unsigned_payload"]}
    request.context["client_config"] = types.SimpleNamespace(s3=s3)
    return request


def botocore_credentials(order):
    return botocore.credentials.Credentials(order["access_key"], order["secret_key"], order["token"])


def botocore_headers(order):
    request = botocore_request(order)
    signer = botocore.auth.S3SigV4Auth if order["s3"] else botocore.auth.SigV4Auth
    with clock_at(order["time"]):
        signer(botocore_credentials(order), order["service"], order["region"]).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def test_headers_are_those_of_botocore(seed):
    maker = Maker(seed)
    orders = [maker.order("headers") for _ in range(COUNT)]

    for order, lines in zip(orders, sign_all(orders), strict=True):
        ours = {line.split(":", 1)[0].lower(): line.split(": ", 1)[1] for line in lines}
        assert ours == botocore_headers(order), order


def test_presigned_addresses_are_those_of_botocore(seed):
    maker = Maker(seed)
    orders = []
    for _ in range(COUNT):
        order = maker.order("presign")
        # botocore keeps one value of a name, writes each with "=", and signs an empty body.
        names = {part.partition("=")[0]: part.partition("=")[2] for part in order["query"].split("&")}
        order["query"] = "&".join(f"{name}={value}" for name, value in names.items() if name)
        order["headers"] = [line for line in order["headers"] if not line.startswith("Content-Type")]
        order.update(body=None, unsigned_payload=False, expires=maker.random.randint(1, 604800))
        orders.append(order)

    for order, query in zip(orders, sign_all(orders), strict=True):
        request = botocore_request(order)
        signer = botocore.auth.S3SigV4QueryAuth if order["s3"] else botocore.auth.SigV4QueryAuth
        with clock_at(order["time"]):
            signer(
                botocore_credentials(order), order["service"], order["region"], expires=order["expires"]
            ).add_auth(request)
        assert query == request.url.partition("?")[2], order


def test_rds_tokens_are_those_of_botocore(seed):
    maker = Maker(seed)
    client = botocore.session.Session().create_client(
        "rds", region_name="us-east-1", aws_access_key_id="unused", aws_secret_access_key="unused"
    )
    orders = [
        {
            "kind": "rds",
            "host": maker.random.choice(["store.cluster-abc.eu-west-1.rds.amazonaws.com", "localhost"]),
            "port": maker.random.randint(1, 65535),
            "user": maker.text() or "vecferry",
            "region": maker.random.choice(REGIONS),
            "time": maker.random.randrange(0, 4_000_000_000),
            **maker.keys(),
        }
        for _ in range(300)
    ]

    for order, token in zip(orders, sign_all(orders), strict=True):
        client._request_signer._credentials = botocore_credentials(order)
        with clock_at(order["time"]):
            expected = client.generate_db_auth_token(
                order["host"], order["port"], order["user"], order["region"]
            )
        assert token == expected, order


@pytest.mark.parametrize(("kind", "safe"), [("encode", ""), ("encode path", "/")])
def test_encodes_as_rfc_3986_wants(seed, kind, safe):
    maker = Maker(seed)
    texts = [maker.text(40) for _ in range(1000)]
    encoded = sign_all([{"kind": kind, "text": text} for text in texts])
    assert encoded == [urllib.parse.quote(text, safe=UNRESERVED + safe) for text in texts]


def test_a_query_is_signed_as_its_canonical_form(seed):
    """However it is spelled: what is sent in lower-case hexadecimals is signed in upper case."""
    maker = Maker(seed)
    orders = [maker.order("headers") for _ in range(500)]
    loose = [dict(order, query=order["query"].replace("%2F", "/").replace("%C3", "%c3")) for order in orders]
    assert sign_all(loose) == sign_all(orders)
