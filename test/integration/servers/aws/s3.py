"""S3: objects to read, lists of keys by pages, and buckets in other regions.

Buckets are addressed by path (http://server/bucket/key) or by host name.  A key
is what the path says after decoding it once; dot segments and double slashes are
part of it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import quote
from xml.sax.saxutils import escape

from aws import protocols
from aws.gate import Gate
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.signature import Request
from loopback import Response

HOST_BUCKET = re.compile(r"(?P<bucket>.+)\.s3[.-](?:dualstack\.)?(?P<region>[a-z0-9-]+)\.amazonaws\.com(?::\d+)?")
XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"
GET_ARGUMENTS = {"versionId", "partNumber", "x-id", "response-content-type"}
LIST_ARGUMENTS = {
    "list-type", "prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type", "fetch-owner",
}  # fmt: skip
KNOWN_HEADERS = {
    "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-checksum-mode", "x-amz-expected-bucket-owner",
    "x-amz-request-payer", "x-amz-optional-object-attributes",
}  # fmt: skip


@dataclass
class Object:
    """What is stored under a key."""

    body: bytes
    content_type: str = "binary/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    modified: float = 1.7e9
    archived: bool = False

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body).hexdigest()}"'


@dataclass
class Bucket:
    """A bucket; `redirect` is how a request with the wrong region is answered: 400, 301 or 307."""

    name: str
    region: str
    objects: dict[str, Object] = field(default_factory=dict)
    may_list: bool = True  # without it, missing keys are "forbidden" instead of "not found"
    redirect: int = 400
    page_keys: int = 1000
    owner: str = "123456789012"

    def put(self, key: str, body: bytes | str, content_type: str = "binary/octet-stream", **headers: str) -> Object:
        """Stores an object."""
        data = body.encode() if isinstance(body, str) else body
        self.objects[key] = Object(data, content_type, headers)
        return self.objects[key]


@dataclass(frozen=True)
class Wish:
    """What an S3 request is about."""

    bucket: str
    key: str
    arguments: dict[str, str]


class S3(Service):
    """`create_bucket` makes a bucket."""

    name = "s3"
    signing_name = "s3"
    protocol = protocols.RestXml()
    unknown_operation = ("NotImplemented", "A header you provided implies functionality that is not implemented", 501)

    def __init__(self, aws):
        super().__init__(aws)
        self.gate = Gate(aws.keyring, self.protocol.dialect, "s3", None, aws.clock)
        self.buckets: dict[str, Bucket] = {}

    def create_bucket(self, name: str, region: str | None = None) -> Bucket:
        self.buckets[name] = Bucket(name, region or self.region)
        return self.buckets[name]

    # --- which operation ---

    def read(self, request: Request) -> tuple[str, Wish]:
        wish = self.wish(request)
        if request.method == "HEAD":
            return ("HeadObject" if wish.key else "HeadBucket"), wish
        if request.method != "GET":
            return f"{request.method}Object", wish
        if wish.key:
            return "GetObject", wish
        if not wish.bucket:
            return "ListBuckets", wish
        if wish.arguments.get("list-type") != "2":
            return "ListObjects" if "location" not in wish.arguments else "GetBucketLocation", wish
        return "ListObjectsV2", wish

    def wish(self, request: Request) -> Wish:
        host = HOST_BUCKET.fullmatch(request.header("Host") or "")
        path = request.path[1:]
        bucket, key = (host["bucket"], path) if host else path.partition("/")[::2]
        arguments = {name: value for name, value in request.query if not name.startswith("X-Amz-")}
        return Wish(bucket, key, arguments)

    def bucket(self, wish: Wish, caller: Caller) -> Bucket:
        """The bucket, when it exists and the request was signed for its region."""
        found = self.buckets.get(wish.bucket)
        if found is None:
            raise Problem("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": wish.bucket})
        region = caller.claim.scope.region
        owner = caller.request.header("x-amz-expected-bucket-owner")
        if region == found.region:
            if owner not in (None, found.owner):
                raise Problem("AccessDenied", "Access Denied", 403)
            return found
        told = {"x-amz-bucket-region": found.region}
        endpoint = f"{found.name}.s3.{found.region}.amazonaws.com"
        if found.redirect == 301:
            message = (
                "The bucket you are attempting to access must be addressed using the specified endpoint. "
                "Please send all future requests to this endpoint."
            )
            raise Problem("PermanentRedirect", message, 301, {"Endpoint": endpoint, "Bucket": found.name}, told)
        if found.redirect == 307:
            message = (
                "Please re-send this request to the specified temporary endpoint. Continue to use the original "
                "request endpoint for future requests."
            )
            told["Location"] = f"https://{endpoint}/{quote(wish.key)}"
            raise Problem("TemporaryRedirect", message, 307, {"Endpoint": endpoint, "Bucket": found.name}, told)
        message = f"The authorization header is malformed; the region '{region}' is wrong; expecting '{found.region}'"
        raise Problem("AuthorizationHeaderMalformed", message, 400, {"Region": found.region}, told)

    def finish(self, response: Response) -> None:
        response.headers.setdefault("Accept-Ranges", "bytes")

    # --- objects ---

    @operation("HeadBucket")
    def head_bucket(self, wish: Wish, caller: Caller) -> Response:
        bucket = self.bucket(wish, caller)
        return Response(200, b"", {"x-amz-bucket-region": bucket.region})

    @operation("GetObject")
    def get_object(self, wish: Wish, caller: Caller) -> Response:
        return self.object_response(wish, caller)

    @operation("HeadObject")
    def head_object(self, wish: Wish, caller: Caller) -> Response:
        return self.object_response(wish, caller)

    def object_response(self, wish: Wish, caller: Caller) -> Response:
        request = caller.request
        self.check_arguments(wish, GET_ARGUMENTS)
        self.check_headers(request)
        bucket = self.bucket(wish, caller)
        found = bucket.objects.get(wish.key)
        if found is None:
            if not bucket.may_list:
                raise Problem("AccessDenied", "Access Denied", 403)
            raise Problem("NoSuchKey", "The specified key does not exist.", 404, {"Key": wish.key})
        if found.archived:
            message = "The operation is not valid for the object's storage class"
            raise Problem("InvalidObjectState", message, 403, {"StorageClass": "GLACIER"})
        wanted = request.header("If-Match")
        if wanted is not None and wanted.strip('"') not in ("*", found.etag.strip('"')):
            message = "At least one of the pre-conditions you specified did not hold"
            raise Problem("PreconditionFailed", message, 412, {"Condition": "If-Match"})
        headers = {
            "Last-Modified": formatdate(found.modified, usegmt=True),
            "ETag": found.etag,
            "Content-Type": found.content_type,
            **found.headers,
        }
        limits = self.range(request, len(found.body))
        if limits is None:
            return Response(200, found.body, headers)
        first, last = limits
        headers["Content-Range"] = f"bytes {first}-{last}/{len(found.body)}"
        return Response(206, found.body[first : last + 1], headers)

    def range(self, request: Request, size: int) -> tuple[int, int] | None:
        """The first and last byte asked for; a range that S3 cannot read means all of it."""
        ranges = request.all("Range")
        if not ranges:
            return None
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", ranges[0].strip())
        if len(ranges) > 1 or match is None or match[1] == match[2] == "":
            raise Problem("InvalidArgument", "A range must be one of the form bytes=a-b", 400, {"ArgumentName": "Range"})
        if match[1]:
            first, last = int(match[1]), min(int(match[2] or size), size - 1)
        else:
            first, last = max(0, size - int(match[2])), size - 1
        if first >= size or (match[2] and match[1] and int(match[2]) < first):
            raise Problem(
                "InvalidRange",
                "The requested range is not satisfiable",
                416,
                {"RangeRequested": ranges[0], "ActualObjectSize": str(size)},
            )
        return first, last

    def check_arguments(self, wish: Wish, known: set[str]) -> None:
        unknown = sorted(set(wish.arguments) - known)
        if unknown:
            raise Problem("InvalidArgument", f"This request takes no {', '.join(unknown)}", 400)

    def check_headers(self, request: Request) -> None:
        for name, _ in request.headers:
            if name.lower().startswith("x-amz-") and name.lower() not in KNOWN_HEADERS:
                raise Problem("InvalidArgument", f"This request takes no header {name}", 400)

    # --- lists ---

    @operation("ListObjectsV2")
    def list_objects_v2(self, wish: Wish, caller: Caller) -> Response:
        self.check_arguments(wish, LIST_ARGUMENTS)
        self.check_headers(caller.request)
        bucket = self.bucket(wish, caller)
        if not bucket.may_list:
            raise Problem("AccessDenied", "Access Denied", 403)
        arguments = wish.arguments
        encoding = arguments.get("encoding-type")
        if encoding not in (None, "url"):
            raise Problem("InvalidArgument", "Invalid Encoding Method specified in Request", 400)
        maximum = arguments.get("max-keys", "1000")
        if not maximum.isdecimal():
            raise Problem("InvalidArgument", "Provided max-keys not an integer or within integer range", 400)
        token = arguments.get("continuation-token")
        start = arguments.get("start-after", "") if token is None else key_of_token(token)
        entries = list(self.entries(bucket, arguments.get("prefix", ""), arguments.get("delimiter", ""), start))
        room = min(int(maximum), bucket.page_keys, 1000)
        page, more = entries[:room], len(entries) > room
        document = self.list_document(bucket, arguments, page, more and bool(page), int(maximum))
        return Response(
            200,
            document.encode("utf-8", "surrogateescape"),
            {"Content-Type": "application/xml", "x-amz-bucket-region": bucket.region},
        )

    def entries(self, bucket: Bucket, prefix: str, delimiter: str, start: str) -> Iterator[tuple[str, Object | None]]:
        """Keys with their objects and common prefixes without, in the order of their bytes."""
        last = None
        for key in sorted(bucket.objects, key=lambda key: key.encode("utf-8", "surrogateescape")):
            if not key.startswith(prefix):
                continue
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            name = key[: end + len(delimiter)] if end >= 0 else key
            if name == last or name.encode() <= start.encode() or (end >= 0 and start.startswith(name)):
                continue
            last = name
            yield name, None if end >= 0 else bucket.objects[key]

    def list_document(self, bucket: Bucket, arguments: dict, page: list, more: bool, maximum: int) -> str:
        def shown(value: str) -> str:
            if arguments.get("encoding-type") == "url":
                data = quote(value.encode("utf-8", "surrogateescape"), safe="/-_.*")
                return data.replace("%20", "+").replace("~", "%7E")
            return escape(value)

        def element(name: str, value: str | None) -> str:
            return "" if value is None else f"<{name}>{value}</{name}>"

        contents = "".join(
            f"<Contents><Key>{shown(key)}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
            f"<ETag>{escape(found.etag, {chr(34): '&quot;'})}</ETag><Size>{len(found.body)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key, found in page
            if found is not None
        )
        prefixes = "".join(
            f"<CommonPrefixes><Prefix>{shown(name)}</Prefix></CommonPrefixes>" for name, found in page if found is None
        )
        token = arguments.get("continuation-token")
        head = "".join(
            [
                element("Name", escape(bucket.name)),
                element("Prefix", shown(arguments.get("prefix", ""))),
                element("Delimiter", shown(arguments["delimiter"]) if "delimiter" in arguments else None),
                element("StartAfter", shown(arguments["start-after"]) if "start-after" in arguments else None),
                element("ContinuationToken", None if token is None else escape(token)),
                element("NextContinuationToken", token_of_key(page[-1][0]) if more else None),
                element("KeyCount", str(len(page))),
                element("MaxKeys", str(maximum)),
                element("EncodingType", arguments.get("encoding-type")),
                element("IsTruncated", "true" if more else "false"),
            ]
        )
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{XMLNS}">'
            f"{head}{contents}{prefixes}</ListBucketResult>"
        )


def token_of_key(key: str) -> str:
    """A token as S3's are: it holds a plus sign, a slash and equals signs."""
    return "1+/" + base64.b64encode(b"\xfb\xff" + key.encode("utf-8", "surrogateescape")).decode().rstrip("=") + "=="


def key_of_token(token: str) -> str:
    try:
        if not token.startswith("1+/") or not token.endswith("=="):
            raise ValueError
        text = token[3:].rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)[2:].decode("utf-8", "surrogateescape")
    except ValueError:
        raise Problem("InvalidArgument", "The continuation token provided is incorrect", 400) from None
