"""The fake AWS keeps its promises: shown with botocore, and with requests that botocore signs.

Debian 12's botocore knows no Bedrock Runtime and no clientToken of RunTask, so those
are written by hand.  Run with: /usr/bin/python3 -m pytest test/integration/test_fake_aws.py
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from urllib.parse import quote

import pytest

pytest.importorskip("botocore")

import botocore.session  # noqa: E402
from aws_fixture import aws  # noqa: E402, F401
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

from aws import signature  # noqa: E402
from aws.bedrock import expected  # noqa: E402
from aws.deployment import deploy  # noqa: E402
from aws.gate import Identity  # noqa: E402
from aws.mishaps import CutBody, Flipped, HangUp, LostAnswer, Page, Refusal, SlowBody, WrongCrc  # noqa: E402
from aws.s3 import token_of_key  # noqa: E402
from aws.sso import Registration  # noqa: E402
from aws.tasks import Ending  # noqa: E402

MULTILINGUAL = "cohere.embed-multilingual-v3"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
ECS = "AmazonEC2ContainerServiceV20141113"
DYNAMO = "DynamoDB_20120810"
SESSION = botocore.session.Session()


# --- clients -----------------------------------------------------------------


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json()["__type"].rpartition("#")[2]


def client(aws, service, who=None, secret=None, region=None):
    """botocore's client, which tries only once."""
    who = who or aws.operator
    return SESSION.create_client(
        service, region_name=region or aws.region, endpoint_url=aws.url, aws_access_key_id=who.key_id,
        aws_secret_access_key=secret or who.secret, aws_session_token=who.token,
        config=Config(retries={"max_attempts": 0}, signature_version="s3v4" if service == "s3" else None),
    )  # fmt: skip


def send(aws, method, path, headers, body=b"") -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, response.read())


def signed(aws, method, path, body=b"", headers=None, service="bedrock", region=None, who=None) -> AWSRequest:
    who = who or aws.operator
    request = AWSRequest(method, aws.url + path, data=body, headers={**(headers or {}), "Host": f"127.0.0.1:{aws.port}"})
    maker = S3SigV4Auth if service == "s3" else SigV4Auth
    maker(Credentials(who.key_id, who.secret, who.token), service, region or aws.region).add_auth(request)
    return request


def call(aws, method, path, body=b"", headers=None, service="bedrock", **how) -> Reply:
    """One signed request."""
    return send(aws, method, path, dict(signed(aws, method, path, body, headers, service, **how).headers), body)


def act(aws, prefix, operation, request, service, version="1.1", **how) -> Reply:
    headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": f"{prefix}.{operation}"}
    return call(aws, "POST", "/", json.dumps(request).encode(), headers, service, **how)


def dynamo(aws, operation, request, **how) -> Reply:
    return act(aws, DYNAMO, operation, request, "dynamodb", "1.0", **how)


def ecs(aws, operation, request) -> Reply:
    return act(aws, ECS, operation, request, "ecs")


def invoke(aws, model, body, **how) -> Reply:
    return call(aws, "POST", f"/model/{quote(model, safe='')}/invoke", json.dumps(body).encode(), JSON, **how)


def embed(aws, texts, model=MULTILINGUAL, **members) -> Reply:
    return invoke(aws, model, {"texts": texts, "input_type": "search_document", **members})


def code_of(act) -> str:
    with pytest.raises(ClientError) as caught:
        act()
    return caught.value.response["Error"]["Code"]


# --- signatures --------------------------------------------------------------


def test_the_signature_is_botocores_for_any_request(seed):
    dice = random.Random(seed)
    letters = "abzAZ09-_.~ /:+=&%#?@!*'(),;ü日\U0001f600"
    who = Credentials("AKID", "se/cr+et", "tok+en/=")
    for _ in range(1000):
        word = lambda: "".join(dice.choices(letters, k=dice.randrange(8)))  # noqa: E731
        service = dice.choice(["s3", "bedrock", "dynamodb"])
        key = quote(word() + "/" + word(), safe="/-_.~")
        pairs = sorted((quote(f"n{word()}", safe="-_.~"), quote(word(), safe="-_.~")) for _ in range(dice.randrange(4)))
        query = "&".join(f"{name}={value}" for name, value in pairs)
        path = f"/{key}" + (f"?{query}" if query else "")
        body = word().encode()
        request = AWSRequest("POST", "http://h:1" + path, data=body, headers={"Host": "h:1", "X-Amz-Meta": "a  b "})
        (S3SigV4Auth if service == "s3" else SigV4Auth)(who, service, "r").add_auth(request)
        arrived = signature.Request("POST", path, tuple(request.headers.items()), body)
        claim = signature.read_claim(arrived)
        right = signature.signature_of(arrived, claim, who.secret_key, hashlib.sha256(body).hexdigest())
        assert claim.signature == right, path


@pytest.mark.parametrize("service, maker", [("s3", S3SigV4QueryAuth), ("rds-db", SigV4QueryAuth)])
def test_a_presigned_url_is_understood(service, maker):
    who = Credentials("AKID", "secret", "to+k/en=")
    request = AWSRequest("GET", "http://h:5432/a%20b?Action=connect&DBUser=%C3%BC", headers={"Host": "h:5432"})
    maker(who, service, "r", 900).add_auth(request)
    target = request.url.removeprefix("http://h:5432")
    arrived = signature.Request("GET", target, (("Host", "h:5432"),))
    claim = signature.read_claim(arrived)
    payload = signature.UNSIGNED_PAYLOAD if service == "s3" else signature.EMPTY_HASH
    assert claim.presigned and claim.lifetime_s == 900 and claim.token == "to+k/en="
    assert claim.signature == signature.signature_of(arrived, claim, "secret", payload)


@pytest.mark.parametrize(
    "service, code",
    [("dynamodb", "InvalidSignatureException"), ("sts", "SignatureDoesNotMatch"), ("s3", "SignatureDoesNotMatch")],
)
def test_a_wrong_secret_is_refused_in_the_words_of_the_service(aws, service, code):
    wrong = client(aws, service, secret="wrong")
    calls = {"dynamodb": "describe_table", "sts": "get_caller_identity", "s3": "list_objects_v2"}
    arguments = {"dynamodb": {"TableName": "chat"}, "s3": {"Bucket": "docs"}}
    assert code_of(lambda: getattr(wrong, calls[service])(**arguments.get(service, {}))) == code
    assert [call.code for call in aws.refusals()] == [code]


def test_a_changed_body_header_or_path_breaks_the_signature(aws):
    asked = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{DYNAMO}.Scan"}
    headers = dict(signed(aws, "POST", "/", b"{}", asked, "dynamodb").headers)
    for changed in (
        send(aws, "POST", "/", headers, b"{ }"),
        send(aws, "POST", "/?a=b", headers, b"{}"),
        send(aws, "POST", "/", {**headers, "X-Amz-Target": f"{DYNAMO}.Query"}, b"{}"),
        send(aws, "POST", "/", {**headers, "X-Amz-Extra": "unsigned"}, b"{}"),
    ):
        assert changed.status == 400 and changed.code == "InvalidSignatureException"


def test_an_unsigned_or_garbled_request_is_refused(aws):
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{DYNAMO}.Scan"}
    assert send(aws, "POST", "/", headers, b"{}").code == "MissingAuthenticationTokenException"
    garbled = {**headers, "Authorization": "AWS4-HMAC-SHA256 Credential=a/b"}
    assert send(aws, "POST", "/", garbled, b"{}").code == "IncompleteSignatureException"
    assert b"AccessDenied" in send(aws, "GET", "/docs/a", {}).body


def test_the_scope_must_name_service_and_region(aws):
    reply = dynamo(aws, "Scan", {"TableName": "chat"}, region="us-west-2")
    assert "valid region, not 'us-west-2'" in reply.json()["message"]
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{ECS}.ListTasks"}
    assert "correct service: 'ecs'" in call(aws, "POST", "/", b"{}", headers, "dynamodb").json()["message"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_off_by_an_hour_is_told_with_the_servers_date(aws, hours):
    aws.clock_offset = hours * 3600
    reply = dynamo(aws, "Scan", {"TableName": "chat"})
    assert reply.code == "InvalidSignatureException"
    assert reply.json()["message"].startswith("Signature expired" if hours > 0 else "Signature not yet current")
    there = time.strptime(reply.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
    assert abs(time.mktime(there) - time.mktime(time.gmtime()) - hours * 3600) < 5
    assert code_of(lambda: client(aws, "s3").list_objects_v2(Bucket="b")) == "RequestTimeTooSkewed"


def test_credentials_expire_and_are_revoked(aws):
    session = aws.keyring.new_session("arn:aws:sts::123456789012:assumed-role/R/s", "AROA:s", aws.clock() + 60)
    assert client(aws, "sts", session).get_caller_identity()["Arn"].endswith("/R/s")
    aws.clock_offset = 61
    assert dynamo(aws, "Scan", {}, who=session).code == "ExpiredTokenException"
    assert code_of(lambda: client(aws, "sts", session).get_caller_identity()) == "ExpiredToken"
    aws.keyring.revoke(aws.operator.key_id)
    assert dynamo(aws, "Scan", {}).code == "UnrecognizedClientException"
    assert code_of(lambda: client(aws, "sts").get_caller_identity()) == "InvalidClientTokenId"


def test_a_session_needs_its_own_token(aws):
    session = aws.keyring.new_session("arn:aws:sts::123456789012:assumed-role/R/s", "AROA:s", aws.clock() + 60)
    other = Identity(session.key_id, session.secret, "another")
    assert dynamo(aws, "Scan", {}, who=other).code == "UnrecognizedClientException"


# --- DynamoDB ----------------------------------------------------------------


@pytest.fixture
def table(aws):
    table = aws.dynamodb.create_table("chat", "PK", "SK")
    table.add_index("SKIndex", "SK")
    table.add_index("LastBotUsedIndex", "PK", "LastBotUsed", range_type="N", is_global=False)
    for number in range(60):
        user = f"u{number % 7}"
        table.put({"PK": user, "SK": f"{user}#BOT#{number:03}", "LastBotUsed": number, "Title": "bot"})
        table.put({"PK": user, "SK": f"{user}#CONV#{number:03}", "MessageMap": "x" * 900})
    return table


IS_BOT = {"FilterExpression": "contains(SK, :b)", "ExpressionAttributeValues": {":b": {"S": "#BOT#"}}}


def pages(aws, operation="scan", **request):
    return list(client(aws, "dynamodb").get_paginator(operation).paginate(TableName="chat", **request))


def test_a_scan_ends_only_when_there_is_no_last_key(aws, table):
    table.page_bytes = 4000
    found = pages(aws, **IS_BOT)
    assert sum(page["Count"] for page in found) == 60 and sum(page["ScannedCount"] for page in found) == 120
    assert len(found) > 10 and "LastEvaluatedKey" not in found[-1]
    empty = pages(aws, FilterExpression="attribute_exists(Nothing)")
    assert all(page["Count"] == 0 for page in empty) and "LastEvaluatedKey" in empty[0]
    table.page_bytes = 1_000_000
    assert len(pages(aws, Limit=60)) == 3  # the end is not known before one looks behind it


def test_segments_share_a_table_without_overlap(aws, table):
    keys = [
        item["SK"]["S"]
        for segment in range(5)
        for page in pages(aws, Segment=segment, TotalSegments=5, Limit=7, **IS_BOT)
        for item in page["Items"]
    ]
    assert len(keys) == len(set(keys)) == 60


def test_a_key_of_another_segment_is_refused(aws, table):
    scan = client(aws, "dynamodb").scan
    key = scan(TableName="chat", Segment=0, TotalSegments=2, Limit=1)["LastEvaluatedKey"]
    assert code_of(lambda: scan(TableName="chat", Segment=1, TotalSegments=2, ExclusiveStartKey=key)) == "ValidationException"


def test_a_sparse_index_holds_only_items_with_its_keys(aws, table):
    found = pages(aws, IndexName="LastBotUsedIndex", Limit=11, ConsistentRead=True)
    assert sum(page["Count"] for page in found) == 60
    assert set(found[0]["LastEvaluatedKey"]) == {"PK", "SK", "LastBotUsed"}
    one = pages(
        aws, "query", IndexName="SKIndex", KeyConditionExpression="SK = :s",
        ExpressionAttributeValues={":s": {"S": "u3#BOT#003"}},
    )  # fmt: skip
    assert [item["LastBotUsed"]["N"] for page in one for item in page["Items"]] == ["3"]


@pytest.mark.parametrize(
    "operation, request_, part",
    [
        ("Scan", {"TableName": "chat", "Filter": "x"}, "Unknown parameter"),
        ("Scan", {"TableName": "chat", "Limit": 0}, "greater than or equal to 1"),
        ("Scan", {"TableName": "chat", "Segment": 0}, "TotalSegments"),
        ("Scan", {"TableName": "chat", "IndexName": "SKIndex", "ConsistentRead": True}, "Consistent reads"),
        ("Scan", {"TableName": "chat", "ExpressionAttributeValues": {":b": {"S": "x"}}}, "ExpressionAttributeValues"),
        ("Scan", {"TableName": "chat", "ProjectionExpression": "PK,Status"}, "reserved keyword"),
        ("Scan", {"TableName": "chat", **IS_BOT, "FilterExpression": "contains(SK, :c)"}, "not defined"),
        ("Query", {"TableName": "chat", **IS_BOT, "KeyConditionExpression": "contains(SK, :b)"}, ""),
        ("GetItem", {"TableName": "chat", "Key": {"PK": {"S": "a"}}}, "does not match the schema"),
        ("GetItem", {"TableName": "chat"}, "must not be null"),
        ("BatchGetItem", {"RequestItems": {"chat": {"Keys": [{"PK": {"S": "a"}, "SK": {"S": "b"}}] * 2}}}, "duplicates"),
    ],
)
def test_what_dynamodb_would_refuse_is_refused(aws, table, operation, request_, part):
    reply = dynamo(aws, operation, request_)
    assert (reply.status, reply.code) == (400, "ValidationException")
    assert part in reply.json()["message"]


def test_wrong_types_and_broken_json_are_serialization_errors(aws, table):
    assert dynamo(aws, "Scan", {"TableName": "chat", "Limit": "1"}).code == "SerializationException"
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{DYNAMO}.Scan"}
    broken = call(aws, "POST", "/", b"{", headers, "dynamodb").json()
    assert broken == {"__type": "com.amazonaws.dynamodb.v20120810#SerializationException"}
    assert dynamo(aws, "Destroy", {}).code == "UnknownOperationException"
    assert dynamo(aws, "Scan", {"TableName": "gone"}).code == "ResourceNotFoundException"


def test_an_update_happens_only_under_its_condition(aws, table):
    def update(key, **more):
        return client(aws, "dynamodb").update_item(
            TableName="chat", Key={"PK": {"S": "u3"}, "SK": {"S": key}},
            UpdateExpression="SET SyncStatus = :r, #n.a = :r REMOVE Title",
            ConditionExpression="attribute_exists(PK) AND LastBotUsed = :n",
            ExpressionAttributeNames={"#n": "Map"}, ExpressionAttributeValues={":r": {"S": "RUNNING"}, ":n": {"N": "3.0"}},
            **more,
        )  # fmt: skip

    table.change("u3", "u3#BOT#003", Map={"b": [1, None, True]})
    assert update("u3#BOT#003", ReturnValues="UPDATED_NEW")["Attributes"]["SyncStatus"] == {"S": "RUNNING"}
    item = table.get("u3", "u3#BOT#003")
    assert item["Map"] == {"a": "RUNNING", "b": [1, None, True]} and "Title" not in item
    assert code_of(lambda: update("u3#BOT#ghost")) == "ConditionalCheckFailedException"
    assert table.get("u3", "u3#BOT#ghost") is None


def test_a_batch_may_leave_keys_unprocessed(aws, table):
    keys = [{"PK": {"S": "u3"}, "SK": {"S": f"u3#BOT#{number:03}"}} for number in (3, 10, 17, 999)]
    aws.dynamodb.keep_unprocessed(2)
    answer = client(aws, "dynamodb").batch_get_item(RequestItems={"chat": {"Keys": keys}})
    assert answer["UnprocessedKeys"]["chat"]["Keys"] == keys[:2] and len(answer["Responses"]["chat"]) == 1


def test_every_answer_has_its_checksum(aws, table):
    for reply in (dynamo(aws, "DescribeTable", {"TableName": "chat"}), dynamo(aws, "Scan", {})):
        assert int(reply.headers["x-amz-crc32"]) == zlib.crc32(reply.body)


def test_a_session_policy_limits_what_an_assumed_role_may_touch(aws, table):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": [table.arn, f"{table.arn}/index/*"],
                "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["u3*"]}},
            }
        ],
    }  # fmt: skip
    role = aws.sts.create_role("TableAccess")
    given = client(aws, "sts").assume_role(
        RoleArn=role.arn, RoleSessionName="DynamoDBSession", Policy=json.dumps(policy)
    )
    who = aws.keyring.find(given["Credentials"]["AccessKeyId"])
    key = lambda user: {"TableName": "chat", "Key": {"PK": {"S": user}, "SK": {"S": f"{user}#BOT#003"}}}  # noqa: E731
    assert "Item" in dynamo(aws, "GetItem", key("u3"), who=who).json()
    assert dynamo(aws, "GetItem", key("u4"), who=who).code == "AccessDeniedException"
    assert dynamo(aws, "Scan", {"TableName": "chat"}, who=who).code == "AccessDeniedException"


# --- S3 ----------------------------------------------------------------------

ODD_KEYS = ["a b", "a+b", "dt=1", "u/#BOT#x", "ü/é~", "/lead", "a/../b", "a%2Fb", "q'!(*)", "x:y@z", "日本.pdf", "a//b"]


@pytest.fixture
def bucket(aws):
    bucket = aws.s3.create_bucket("docs")
    for key in ODD_KEYS:
        bucket.put(key, f"body of {key}" * 50)
    return bucket


def test_odd_keys_are_found_by_their_bytes(aws, bucket):
    for key in ODD_KEYS:
        got = client(aws, "s3").get_object(Bucket="docs", Key=key)
        assert got["Body"].read() == bucket.objects[key].body and got["ETag"] == bucket.objects[key].etag
    assert aws.refusals() == []


def test_a_list_comes_in_pages_with_awkward_tokens(aws, bucket):
    bucket.page_keys = 5
    paginator = client(aws, "s3").get_paginator("list_objects_v2")
    found = list(paginator.paginate(Bucket="docs"))
    assert [one["Key"] for page in found for one in page["Contents"]] == sorted(ODD_KEYS, key=str.encode)
    assert {"+", "/", "="} <= set(found[0]["NextContinuationToken"])
    with_blank = token_of_key("a b").replace("+", " ")
    path = f"/docs?continuation-token={quote(with_blank, safe='')}&list-type=2"
    assert b"continuation token provided is incorrect" in call(aws, "GET", path, service="s3").body
    folders = client(aws, "s3").list_objects_v2(Bucket="docs", Delimiter="/", Prefix="a/")
    assert [one["Prefix"] for one in folders["CommonPrefixes"]] == ["a/../", "a//"]


def test_ranges_and_preconditions(aws, bucket):
    s3 = client(aws, "s3")
    part = s3.get_object(Bucket="docs", Key="a b", Range="bytes=3-8", IfMatch=bucket.objects["a b"].etag)
    assert part["Body"].read() == bucket.objects["a b"].body[3:9] and part["ContentRange"].startswith("bytes 3-8/")
    assert code_of(lambda: s3.get_object(Bucket="docs", Key="a b", Range="bytes=99999-")) == "InvalidRange"
    assert code_of(lambda: s3.get_object(Bucket="docs", Key="a b", IfMatch='"other"')) == "PreconditionFailed"


def test_a_missing_key_is_forbidden_to_those_who_may_not_list(aws, bucket):
    s3 = client(aws, "s3")
    assert code_of(lambda: s3.get_object(Bucket="docs", Key="no")) == "NoSuchKey"
    assert code_of(lambda: s3.head_object(Bucket="docs", Key="no")) == "404"
    bucket.may_list = False
    assert code_of(lambda: s3.get_object(Bucket="docs", Key="no")) == "AccessDenied"
    assert code_of(lambda: s3.head_object(Bucket="docs", Key="no")) == "403"
    assert code_of(lambda: s3.get_object(Bucket="none", Key="no")) == "NoSuchBucket"


@pytest.mark.parametrize("redirect", [400, 301, 307])
def test_a_bucket_elsewhere_tells_its_region(aws, redirect):
    bucket = aws.s3.create_bucket("far", "ap-south-1")
    bucket.redirect = redirect
    bucket.put("a", "b")
    reply = call(aws, "GET", "/far/a", service="s3")
    assert reply.status == redirect and reply.headers["x-amz-bucket-region"] == "ap-south-1"
    head = call(aws, "HEAD", "/far/a", service="s3")
    assert (head.status, head.body) == (redirect, b"")
    assert call(aws, "GET", "/far/a", service="s3", region="ap-south-1").body == b"b"


def test_s3_wants_the_hash_of_the_payload(aws, bucket):
    request = signed(aws, "GET", "/docs/a%20b", service="s3")
    headers = {name: value for name, value in request.headers.items() if name != "X-Amz-Content-SHA256"}
    assert b"x-amz-content-sha256" in send(aws, "GET", "/docs/a%20b", headers).body
    wrong = {**dict(request.headers), "X-Amz-Content-SHA256": "0" * 64}
    assert b"XAmzContentSHA256Mismatch" in send(aws, "GET", "/docs/a%20b", wrong).body


def test_a_presigned_url_opens_until_it_expires(aws, bucket):
    url = client(aws, "s3").generate_presigned_url("get_object", {"Bucket": "docs", "Key": "a+b"}, 60)
    assert urllib.request.urlopen(url).read() == bucket.objects["a+b"].body
    aws.clock_offset = 120
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url)


# --- Bedrock -----------------------------------------------------------------


def test_cohere_answers_with_vectors_and_counts_tokens_in_a_header(aws):
    reply = embed(aws, ["hello", "wörld"])
    assert reply.headers["x-amzn-bedrock-input-token-count"] == "4"
    for content, vector in zip(["hello", "wörld"], reply.json()["embeddings"]):
        assert vector == pytest.approx(expected(content), rel=1e-6)
    by_type = embed(aws, ["hello"], embedding_types=["float", "int8"]).json()
    assert set(by_type["embeddings"]) == {"float", "int8"} and by_type["response_type"] == "embeddings_by_type"


@pytest.mark.parametrize(
    "model, body, size",
    [
        ("amazon.titan-embed-text-v1", {"inputText": "x"}, 1536),
        ("amazon.titan-embed-text-v2:0", {"inputText": "x", "dimensions": 256, "normalize": True}, 256),
    ],
)
def test_titan_answers_with_one_vector(aws, model, body, size):
    answer = invoke(aws, model, body).json()
    assert len(answer["embedding"]) == size and answer["inputTextTokenCount"] == 1


@pytest.mark.parametrize(
    "body, part",
    [
        ({"texts": ["x"] * 97}, "maximum item count: 96"),
        ({"texts": ["x" * 2049]}, "maxLength: 2048"),
        ({"texts": ["日" * 2048]}, "context length"),
        ({"texts": ["x"], "output_dimension": 256}, "output_dimension"),
        ({"texts": ["x"], "truncate": "RIGHT"}, "truncate"),
        ({"texts": [""]}, "texts"),
        ({"texts": []}, "texts"),
    ],
)
def test_bedrock_keeps_to_the_models_limits(aws, body, part):
    reply = embed(aws, body.pop("texts"), **body)
    assert reply.status == 400 and part in reply.json()["message"]
    assert reply.headers["x-amzn-errortype"].startswith("ValidationException:")
    assert aws.bedrock.billed_tokens == 0


def test_v4_is_called_by_its_profile_however_the_colon_is_written(aws):
    body = json.dumps({"texts": ["x"], "input_type": "search_query", "truncate": "RIGHT"}).encode()
    for model in ("us.cohere.embed-v4%3A0", "eu.cohere.embed-v4:0"):
        assert len(call(aws, "POST", f"/model/{model}/invoke", body, JSON).json()["embeddings"][0]) == 1536
    assert "on-demand throughput" in embed(aws, ["x"], "cohere.embed-v4:0").json()["message"]
    assert "identifier is invalid" in embed(aws, ["x"], "cohere.embed-v9").json()["message"]


def test_bedrock_refuses_what_is_not_granted_or_too_much(aws):
    aws.bedrock.limit_tokens(tokens=2)
    assert embed(aws, ["hello"]).status == 200
    throttled = embed(aws, ["hello"])
    assert throttled.status == 429 and throttled.headers["x-amzn-errortype"].startswith("ThrottlingException")
    aws.bedrock.granted.clear()
    assert embed(aws, ["hello"]).status == 403
    assert aws.bedrock.billed == {"hello": 1}


# --- ECS ---------------------------------------------------------------------

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}
LAUNCH = {
    "cluster": "work", "taskDefinition": "embed", "launchType": "FARGATE", "networkConfiguration": NETWORK,
    "clientToken": "run-1.bot-1.1", "startedBy": "run-1",
}  # fmt: skip


@pytest.fixture
def cluster(aws):
    options = {"awslogs-group": "tasks", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "embed-task"}
    aws.ecs.register("embed", container_logConfiguration={"logDriver": "awslogs", "options": options})
    yield aws.ecs.create_cluster("work")
    for task in aws.ecs.all_tasks():
        task.stop_requested.set()


def launched(aws, **changes) -> str:
    reply = ecs(aws, "RunTask", {**LAUNCH, **changes})
    assert reply.status == 200, reply.body
    return reply.json()["tasks"][0]["taskArn"]


def described(aws, arn) -> dict:
    return ecs(aws, "DescribeTasks", {"cluster": "work", "tasks": [arn]}).json()["tasks"][0]


def test_a_task_really_runs(aws, cluster):
    def runner(run):
        assert run.command == ["-u", "main.py"] and run.environment["EVENT"] == "{}"
        run.log("at work")
        return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(7)"], env=run.environment_for_process())

    aws.ecs.runner = runner
    override = {"name": "Container", "command": ["-u", "main.py"], "environment": [{"name": "EVENT", "value": "{}"}]}
    arn = launched(aws, overrides={"containerOverrides": [override]})
    assert aws.ecs.wait_until_over()
    task = described(aws, arn)
    assert task["stopCode"] == "EssentialContainerExited" and task["containers"][0]["exitCode"] == 7
    stream = f"embed-task/Container/{arn.rpartition('/')[2]}"
    events = client(aws, "logs").get_log_events(logGroupName="tasks", logStreamName=stream)["events"]
    assert [event["message"] for event in events] == ["at work"]


def test_a_stopped_task_gets_sigterm(aws, cluster):
    aws.ecs.runner = lambda run: subprocess.Popen(["sleep", "60"])
    arn = launched(aws)
    deadline = time.monotonic() + 5
    while described(aws, arn)["lastStatus"] != "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    ecs(aws, "StopTask", {"cluster": "work", "task": arn, "reason": "too long"})
    assert aws.ecs.wait_until_over()
    task = described(aws, arn)
    assert (task["stopCode"], task["stoppedReason"], task["containers"][0]["exitCode"]) == ("UserInitiated", "too long", 143)


def test_spot_takes_a_task_away(aws, cluster):
    aws.ecs.run_s = 30
    arn = launched(aws)
    time.sleep(0.1)
    aws.ecs.interrupt(aws.ecs.all_tasks()[0])
    assert aws.ecs.wait_until_over() and described(aws, arn)["stopCode"] == "SpotInterruption"


def test_an_exit_code_may_be_absent(aws, cluster):
    aws.ecs.next_tasks(Ending(None, "TaskFailedToStart", "CannotPullContainerError"))
    arn = launched(aws)
    assert aws.ecs.wait_until_over()
    task = described(aws, arn)
    assert "exitCode" not in task["containers"][0] and "startedAt" not in task


def test_a_client_token_starts_one_task(aws, cluster):
    first = launched(aws)
    assert launched(aws) == first
    conflict = ecs(aws, "RunTask", {**LAUNCH, "startedBy": "other"})
    assert conflict.code == "ConflictException" and conflict.json()["resourceIds"] == [first]
    assert aws.ecs.wait_until_over()
    replay = ecs(aws, "RunTask", LAUNCH).json()["tasks"][0]
    assert set(replay) == {"taskArn", "lastStatus", "desiredStatus"}
    aws.ecs.all_tasks()[0].stopped -= 3601
    assert launched(aws) != first


def test_failures_come_in_a_good_answer_and_a_replay_repeats_them(aws, cluster):
    aws.ecs.fail_launches()
    answer = ecs(aws, "RunTask", LAUNCH)
    assert answer.status == 200 and answer.json()["tasks"] == []
    assert "Capacity is unavailable" in answer.json()["failures"][0]["reason"]
    assert ecs(aws, "RunTask", LAUNCH).json() == answer.json()
    assert launched(aws, clientToken="run-1.bot-1.2")


@pytest.mark.parametrize(
    "changes, code, part",
    [
        ({"count": 11}, "InvalidParameterException", "count"),
        ({"cluster": "none"}, "ClusterNotFoundException", ""),
        ({"taskDefinition": "none"}, "ClientException", "TaskDefinition not found"),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration"),
        ({"overrides": {"containerOverrides": [{"name": "Other"}]}}, "InvalidParameterException", "named Other"),
        ({"overrides": {"containerOverrides": [{"name": "Container", "command": ["x" * 9000]}]}}, "InvalidParameterException", "8192"),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}, "InvalidParameterException", "both"),
        ({"clientToken": "x" * 65}, "InvalidParameterException", "clientToken"),
        ({"colour": "red"}, "InvalidParameterException", "Unknown parameter"),
    ],
)
def test_what_ecs_would_refuse_is_refused(aws, cluster, changes, code, part):
    reply = ecs(aws, "RunTask", {**LAUNCH, **changes})
    assert (reply.status, reply.code) == (400, code) and part in reply.json()["message"]
    assert aws.ecs.all_tasks() == []


def test_tasks_are_listed_and_missing_ones_told(aws, cluster):
    aws.ecs.run_s = 30
    arn = launched(aws)
    assert ecs(aws, "ListTasks", {"cluster": "work", "startedBy": "run-1"}).json() == {"taskArns": [arn]}
    assert ecs(aws, "ListTasks", {"cluster": "work", "startedBy": "run-1", "desiredStatus": "STOPPED"}).status == 400
    assert ecs(aws, "DescribeTasks", {"cluster": "work", "tasks": ["none"]}).json()["failures"][0]["reason"] == "MISSING"
    assert ecs(aws, "DescribeTasks", {"cluster": "work", "tasks": ["x"] * 101}).status == 400
    aws.ecs.visible_after_s = 60
    assert ecs(aws, "DescribeTasks", {"cluster": "work", "tasks": [arn]}).json()["tasks"] == []


def test_task_definitions_come_and_go(aws, cluster):
    api = client(aws, "ecs")
    old = api.describe_task_definition(taskDefinition="embed")["taskDefinition"]
    kept = {name: old[name] for name in ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")}
    new = api.register_task_definition(**kept)["taskDefinition"]
    assert new["revision"] == 2 and api.describe_task_definition(taskDefinition="embed")["taskDefinition"]["revision"] == 2
    api.deregister_task_definition(taskDefinition=new["taskDefinitionArn"])
    assert api.describe_task_definition(taskDefinition="embed")["taskDefinition"]["revision"] == 1
    assert code_of(lambda: api.describe_task_definition(taskDefinition="none")) == "ClientException"
    assert api.describe_clusters(clusters=["work", "none"])["failures"][0]["reason"] == "MISSING"


# --- the others --------------------------------------------------------------


def test_stacks_have_outputs_and_resources_by_pages(aws):
    aws.cloudformation.create_stack("Chat", {"A": "<&>"}, {f"r{n}": ("AWS::X", f"p{n}") for n in range(150)})
    api = client(aws, "cloudformation")
    assert api.describe_stacks(StackName="Chat")["Stacks"][0]["Outputs"][0]["OutputValue"] == "<&>"
    found = api.get_paginator("list_stack_resources").paginate(StackName="Chat")
    assert [len(page["StackResourceSummaries"]) for page in found] == [100, 50]
    with pytest.raises(ClientError, match="ValidationError.*Stack with id None does not exist"):
        api.describe_stacks(StackName="None")


def test_roles_are_assumed_by_key_and_by_web_identity(aws):
    role = aws.sts.create_role("R", external_id="outside", web_tokens={"token"})
    sts = client(aws, "sts")
    assert code_of(lambda: sts.assume_role(RoleArn=role.arn, RoleSessionName="me")) == "AccessDenied"
    given = sts.assume_role(RoleArn=role.arn, RoleSessionName="me", ExternalId="outside")["Credentials"]
    who = aws.keyring.find(given["AccessKeyId"])
    assert client(aws, "sts", who).get_caller_identity()["Arn"].endswith("assumed-role/R/me")
    form = f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={quote(role.arn)}&RoleSessionName=me&WebIdentityToken="
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert b"<AccessKeyId>ASIA" in send(aws, "POST", "/", headers, f"{form}token".encode()).body
    assert b"InvalidIdentityToken" in send(aws, "POST", "/", headers, f"{form}wrong".encode()).body


def test_secrets_have_stages(aws):
    secret = aws.secretsmanager.create_secret("db", {"password": "old"})
    secret.put({"password": "new"})
    api = client(aws, "secretsmanager")
    assert json.loads(api.get_secret_value(SecretId=secret.arn)["SecretString"]) == {"password": "new"}
    assert "old" in api.get_secret_value(SecretId="db", VersionStage="AWSPREVIOUS")["SecretString"]
    assert code_of(lambda: api.get_secret_value(SecretId="none")) == "ResourceNotFoundException"
    assert len(api.describe_secret(SecretId="db")["VersionIdsToStages"]) == 2


def test_logs_end_where_the_token_stays(aws):
    api = client(aws, "logs")
    for number in range(5):
        aws.logs.write("g", "s", f"line {number}")
    aws.logs.page_events = 2
    lines, token = [], {}
    while True:
        page = api.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True, **token)
        lines += [event["message"] for event in page["events"]]
        if token and token["nextToken"] == page["nextForwardToken"]:
            break
        token = {"nextToken": page["nextForwardToken"]}
    assert lines == [f"line {number}" for number in range(5)]
    assert code_of(lambda: api.get_log_events(logGroupName="g", logStreamName="t")) == "ResourceNotFoundException"


def test_quotas_are_applied_or_missing(aws):
    api = client(aws, "service-quotas")
    assert api.get_service_quota(ServiceCode="fargate", QuotaCode="L-3032A538")["Quota"]["Value"] == 6
    missing = lambda: api.get_service_quota(ServiceCode="bedrock", QuotaCode="L-1")  # noqa: E731
    assert code_of(missing) == "NoSuchResourceException"


def test_machines_and_containers_get_credentials(aws):
    who = aws.keyring.new_session("arn:aws:sts::123456789012:assumed-role/instance-role/i", "AROA:i", aws.clock() + 900)
    aws.metadata.give_instance(who)
    aws.metadata.give_container(who, "open sesame")
    path = "/latest/meta-data/iam/security-credentials/"
    assert send(aws, "GET", path, {}).status == 401
    token = send(aws, "PUT", "/latest/api/token", {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}).body.decode()
    assert send(aws, "PUT", "/latest/api/token", {}).status == 400
    headers = {"x-aws-ec2-metadata-token": token}
    role = send(aws, "GET", path, headers).body.decode()
    assert send(aws, "GET", path + role, headers).json()["Token"] == who.token
    assert send(aws, "GET", "/v2/credentials/x", {}).status == 401
    assert send(aws, "GET", "/v2/credentials/x", {"Authorization": "open sesame"}).json()["AccessKeyId"] == who.key_id


def test_sso_gives_credentials_for_a_token_that_can_be_renewed(aws):
    who = aws.keyring.new_session("arn:aws:sts::123456789012:assumed-role/sso/me", "AROA:me", aws.clock() + 900)
    aws.sso.give("123456789012", "Admin", who)
    aws.sso.registration = Registration("id", "secret", "refresh")
    path = "/federation/credentials?role_name=Admin&account_id=123456789012"
    assert send(aws, "GET", path, {"x-amz-sso_bearer_token": "old"}).status == 401
    body = {"clientId": "id", "clientSecret": "secret", "grantType": "refresh_token", "refreshToken": "refresh"}
    fresh = send(aws, "POST", "/token", {"Content-Type": "application/json"}, json.dumps(body).encode()).json()["accessToken"]
    given = send(aws, "GET", path, {"x-amz-sso_bearer_token": fresh}).json()["roleCredentials"]
    assert given["sessionToken"] == who.token and given["expiration"] > 1e12


def test_a_deployment_looks_like_the_applications(aws):
    chat = deploy(aws)
    bots = [chat.add_bot("ada", f"bot {number}", {"a b.txt": b"text"}) for number in range(3)]
    chat.add_alias("ben", bots[0])
    chat.add_ghost("ada")
    chat.add_conversation("ada")
    api, name = client(aws, "dynamodb"), chat.table.name
    assert api.scan(TableName=name, IndexName="LastBotUsedIndex")["Count"] == 4
    assert api.scan(TableName=name, **IS_BOT)["Count"] == 4
    outputs = client(aws, "cloudformation").describe_stacks(StackName="BedrockChatStack")["Stacks"][0]["Outputs"]
    assert {"OutputKey": "DatabaseConversationTableNameDDF11821", "OutputValue": name} in outputs
    listed = client(aws, "s3").list_objects_v2(Bucket=chat.bucket.name, Prefix=f"ada/{bots[1].id}/documents/")
    assert [one["Key"] for one in listed["Contents"]] == [f"ada/{bots[1].id}/documents/a b.txt"]
    assert {len(bot.id) for bot in bots} == {26}


# --- mishaps -----------------------------------------------------------------


def test_the_next_calls_are_throttled_and_then_no_more(aws, table):
    aws.mishap("dynamodb", "Scan", Refusal("ProvisionedThroughputExceededException"), times=2, skip=1)
    statuses = [dynamo(aws, "Scan", {"TableName": "chat"}).status for _ in range(4)]
    assert statuses == [200, 400, 400, 200]
    assert aws.refusals() == []


def test_a_fraction_of_the_calls_meets_a_mishap(aws, table):
    aws.mishap("*", "*", Refusal("InternalServerError", 500), fraction=0.5)
    statuses = [dynamo(aws, "GetItem", {"TableName": "chat", "Key": {"PK": {"S": "a"}, "SK": {"S": "b"}}}).status for _ in range(40)]
    assert 8 < statuses.count(500) < 32


def test_an_answer_may_be_lost_after_the_deed(aws, table):
    request = {"TableName": "chat", "Key": {"PK": {"S": "u0"}, "SK": {"S": "new"}}}
    aws.mishap("dynamodb", "UpdateItem", HangUp(), times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        dynamo(aws, "UpdateItem", request)
    assert table.get("u0", "new") is None
    aws.mishap("dynamodb", "UpdateItem", LostAnswer(), times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        dynamo(aws, "UpdateItem", request)
    assert table.get("u0", "new") is not None
    assert [call.handled for call in aws.calls("dynamodb", "UpdateItem")] == [False, True]


def test_bodies_are_cut_slow_or_wrong(aws, table, bucket):
    aws.mishap("s3", "GetObject", CutBody(0.5), times=1)
    with pytest.raises(http.client.IncompleteRead):
        call(aws, "GET", "/docs/a%20b", service="s3")
    aws.mishap("s3", "GetObject", SlowBody(3, 0.02), times=1)
    assert call(aws, "GET", "/docs/a%20b", service="s3").body == bucket.objects["a b"].body
    for mishap in (WrongCrc(), Flipped()):
        aws.mishap("dynamodb", "Scan", mishap, times=1)
        reply = dynamo(aws, "Scan", {"TableName": "chat"})
        assert int(reply.headers["x-amz-crc32"]) != zlib.crc32(reply.body)


def test_a_proxy_may_answer_instead(aws, table):
    aws.mishap("*", "*", Page())
    reply = dynamo(aws, "Scan", {"TableName": "chat"})
    assert reply.status == 502 and reply.headers["content-type"] == "text/html"


def test_a_rate_is_enforced_and_a_denial_is_for_good(aws, cluster):
    aws.limit("ecs", "ListTasks", per_second=1, burst=2)
    statuses = [ecs(aws, "ListTasks", {"cluster": "work"}).status for _ in range(4)]
    assert statuses == [200, 200, 400, 400]
    aws.deny("s3", "ListObjectsV2")
    assert code_of(lambda: client(aws, "s3").list_objects_v2(Bucket="b")) == "AccessDenied"


def test_many_clients_at_once_are_all_recorded(aws, table):
    threads = [
        threading.Thread(target=lambda: [dynamo(aws, "DescribeTable", {"TableName": "chat"}) for _ in range(10)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = aws.calls("dynamodb", "DescribeTable")
    assert len(calls) == 80 and {call.status for call in calls} == {200}
    assert [call.number for call in calls] == list(range(1, 81))
