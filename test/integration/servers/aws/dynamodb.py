"""DynamoDB: tables with indexes, read by pages, changed under conditions."""

from __future__ import annotations

import zlib
from typing import Any

from aws import protocols
from aws.expressions import Names, Path, condition, key_condition, projected, projection, update
from aws.policy import allows
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import Shape, anything, boolean, integer, list_of, mapping, structure, text
from aws.tables import Entry, Index, Keys, Table, segment_of
from aws.values import Item, check_value, equal, invalid, item_size, kind_of
from loopback import Response

TABLE = text(1, 1024, r"[a-zA-Z0-9_.\-:/]+")
INDEX = text(3, 255, r"[a-zA-Z0-9_.-]+")
ITEM = mapping(mapping(anything()))
NAMES = mapping(text(0, 65535))
CAPACITY = text(among="INDEXES TOTAL NONE")
SELECT = text(among="ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES SPECIFIC_ATTRIBUTES COUNT")
READ: dict[str, Shape] = {
    "ConsistentRead": boolean(), "ExpressionAttributeNames": NAMES, "ProjectionExpression": text(),
    "ReturnConsumedCapacity": CAPACITY,
}  # fmt: skip
PAGED: dict[str, Shape] = {
    **READ, "ExclusiveStartKey": ITEM, "ExpressionAttributeValues": ITEM, "FilterExpression": text(),
    "IndexName": INDEX, "Limit": integer(1), "Select": SELECT,
}  # fmt: skip
BATCH_BYTES = 16 * 1024 * 1024


class DynamoJson(protocols.Json):
    """With the checksum that DynamoDB adds to every answer."""

    def answer(self, status, value, number, headers) -> Response:
        response = super().answer(status, value, number, headers)
        response.headers["x-amz-crc32"] = str(zlib.crc32(response.body))
        return response


class DynamoDB(Service):
    """`create_table` makes a table; `keep_unprocessed` makes BatchGetItem leave keys over."""

    name = "dynamodb"
    signing_name = "dynamodb"
    protocol = DynamoJson("1.0", "DynamoDB_20120810", "com.amazonaws.dynamodb.v20120810")

    def __init__(self, aws):
        super().__init__(aws)
        self.tables: dict[str, Table] = {}
        self._kept_keys, self._kept_times = 0, 0

    def create_table(self, name: str, hash: str, range: str | None = None, range_type: str = "S") -> Table:
        table = Table(name, Keys(hash, range, "S", range_type), self.arn(f"table/{name}"))
        self.tables[name] = table
        return table

    def keep_unprocessed(self, keys: int, times: int = 1) -> None:
        """The next BatchGetItem calls leave so many keys unprocessed."""
        self._kept_keys, self._kept_times = keys, times

    # --- operations ---

    @operation("DescribeTable", structure({"TableName": TABLE}))
    def describe_table(self, request: dict, caller: Caller) -> dict:
        table = self.table(request["TableName"], "Requested resource not found: Table: {} not found")
        self.allow(caller, "DescribeTable", table)
        types = dict(table.keys.types)
        for index in table.indexes.values():
            types.update(index.keys.types)
        with table.guard:
            description: dict[str, Any] = {
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": kind} for name, kind in sorted(types.items())
                ],
                "TableName": table.name,
                "KeySchema": table.keys.schema,
                "TableStatus": table.status,
                "CreationDateTime": 1.7e9,
                "ProvisionedThroughput": {
                    "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0,
                },
                "TableSizeBytes": sum(entry.size for entry in table.view(None)),
                "ItemCount": len(table.items),
                "TableArn": table.arn,
                "TableId": "5d0a3c2e-0000-4000-8000-000000000001",
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            }  # fmt: skip
            for member, is_global in (("GlobalSecondaryIndexes", True), ("LocalSecondaryIndexes", False)):
                found = [self.described(table, index) for index in table.indexes.values() if index.is_global == is_global]
                if found:
                    description[member] = found
        return {"Table": description}

    def described(self, table: Table, index: Index) -> dict:
        """An index as DescribeTable tells it."""
        view = table.view(index)
        shown: dict[str, Any] = {
            "IndexName": index.name,
            "KeySchema": index.keys.schema,
            "Projection": {"ProjectionType": "ALL"}
            if index.attributes is None
            else {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.attributes)},
            "IndexSizeBytes": sum(entry.size for entry in view),
            "ItemCount": len(view),
            "IndexArn": f"{table.arn}/index/{index.name}",
        }
        return {**shown, "IndexStatus": "ACTIVE"} if index.is_global else shown

    @operation("GetItem", structure({"TableName": TABLE, "Key": ITEM}, READ))
    def get_item(self, request: dict, caller: Caller) -> dict:
        table = self.table(request["TableName"])
        names = Names(request)
        paths = self.paths(request, names)
        names.finish()
        key = self.key(table, request["Key"])
        self.allow(caller, "GetItem", table, keys=[request["Key"]])
        with table.guard:
            item = table.items.get(key)
        units = self.units(item_size(item) if item else 0, request)
        result = {} if item is None else {"Item": projected(item, paths)}
        return self.with_capacity(result, request, table.name, units)

    @operation(
        "BatchGetItem",
        structure(
            {
                "RequestItems": mapping(
                    structure(
                        {"Keys": list_of(ITEM, 1, 100)},
                        {name: shape for name, shape in READ.items() if name != "ReturnConsumedCapacity"},
                    ),
                    1, 100,
                )
            },
            {"ReturnConsumedCapacity": CAPACITY},
        ),
    )  # fmt: skip
    def batch_get_item(self, request: dict, caller: Caller) -> dict:
        wanted = request["RequestItems"]
        if sum(len(part["Keys"]) for part in wanted.values()) > 100:
            raise invalid("Too many items requested for the BatchGetItem call")
        responses: dict[str, list[Item]] = {}
        left: dict[str, dict] = {}
        room, kept = BATCH_BYTES, self._take_kept()
        for name, part in wanted.items():
            table = self.table(name)
            names = Names(part)
            paths = self.paths(part, names)
            names.finish()
            keys = [self.key(table, key) for key in part["Keys"]]
            if len(set(keys)) < len(keys):
                raise invalid("Provided list of item keys contains duplicates")
            self.allow(caller, "BatchGetItem", table, keys=part["Keys"])
            responses[name] = []
            for key, given in zip(keys, part["Keys"]):
                with table.guard:
                    item = table.items.get(key)
                size = item_size(item) if item else 0
                if kept > 0 or size > room:
                    kept -= 1
                    left.setdefault(name, {**part, "Keys": []})["Keys"].append(given)
                elif item is not None:
                    room -= size
                    responses[name].append(projected(item, paths))
            responses[name].reverse()  # their order means nothing
        return {"Responses": responses, "UnprocessedKeys": left}

    def _take_kept(self) -> int:
        with self.guard:
            if self._kept_times <= 0:
                return 0
            self._kept_times -= 1
            return self._kept_keys

    @operation(
        "UpdateItem",
        structure(
            {"TableName": TABLE, "Key": ITEM},
            {
                "UpdateExpression": text(), "ConditionExpression": text(), "ExpressionAttributeNames": NAMES,
                "ExpressionAttributeValues": ITEM, "ReturnConsumedCapacity": CAPACITY,
                "ReturnValues": text(among="NONE ALL_OLD UPDATED_OLD ALL_NEW UPDATED_NEW"),
                "ReturnValuesOnConditionCheckFailure": text(among="ALL_OLD NONE"),
                "ReturnItemCollectionMetrics": text(among="SIZE NONE"),
            },
        ),
    )  # fmt: skip
    def update_item(self, request: dict, caller: Caller) -> dict:
        table = self.table(request["TableName"])
        names = Names(request)
        change = update(request["UpdateExpression"], names) if "UpdateExpression" in request else None
        holds = self.condition(request, "ConditionExpression", names)
        names.finish()
        key = self.key(table, request["Key"])
        for path in change.paths if change else []:
            if path[0] in table.keys.types:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {path[0]}. This attribute "
                    "is part of the key"
                )
        self.allow(caller, "UpdateItem", table, keys=[request["Key"]])
        with table.guard:
            old = table.items.get(key)
            if holds is not None and not holds(old or {}):
                tell = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and old is not None
                members = {"Item": old} if tell else {}
                raise Problem("ConditionalCheckFailedException", "The conditional request failed", 400, members)
            before = old or dict(request["Key"])
            after = change.applied(before) if change else before
            table.store(after)
        result = self.returned(request.get("ReturnValues", "NONE"), old, after, change.paths if change else [])
        return self.with_capacity(result, request, table.name, max(1.0, -(-item_size(after) // 1024)))

    def returned(self, wish: str, old: Item | None, new: Item, paths: list[Path]) -> dict:
        item = {"NONE": None, "ALL_OLD": old, "UPDATED_OLD": old, "ALL_NEW": new, "UPDATED_NEW": new}[wish]
        if item is None:
            return {}
        attributes = projected(item, paths) if wish.startswith("UPDATED") else item
        return {"Attributes": attributes} if attributes else {}

    @operation(
        "Scan",
        structure(
            {"TableName": TABLE}, {**PAGED, "Segment": integer(0, 999_999), "TotalSegments": integer(1, 1_000_000)}
        ),
    )
    def scan(self, request: dict, caller: Caller) -> dict:
        table, index = self.table_and_index(request)
        segment, total = request.get("Segment"), request.get("TotalSegments")
        if (segment is None) != (total is None):
            missing = "TotalSegments" if total is None else "Segment"
            raise invalid(f"The {missing} parameter is required but was not present in the request")
        if total is not None and segment >= total:
            raise invalid(
                f"The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                f"Segment: {segment} is not less than TotalSegments: {total}"
            )
        names = Names(request)
        holds = self.condition(request, "FilterExpression", names)
        paths = self.paths(request, names)
        names.finish()
        self.check_select(request, index)
        self.allow(caller, "Scan", table, index)
        view = table.view(index)
        if total is not None:
            view = [entry for entry in view if segment_of(entry.order[0], total) == segment]
        start = 0
        if request.get("ExclusiveStartKey") is not None:
            key = self.start_key(table, index, request)
            if total is not None and segment_of(table.order_of(key, index)[0], total) != segment:
                raise invalid(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey "
                    f"with correct Segment. TotalSegments: {total} Segment: {segment}"
                )
            start = table.after(view, key, index)
        return self.page(request, table, index, view[start:], holds, paths)

    @operation(
        "Query",
        structure(
            {"TableName": TABLE, "KeyConditionExpression": text()}, {**PAGED, "ScanIndexForward": boolean()}
        ),
    )
    def query(self, request: dict, caller: Caller) -> dict:
        table, index = self.table_and_index(request)
        keys = table.keys_of(index)
        names = Names(request)
        wanted = key_condition(request["KeyConditionExpression"], names, keys.hash, keys.range)
        holds = self.condition(request, "FilterExpression", names, forbidden=keys)
        paths = self.paths(request, names)
        names.finish()
        if kind_of(wanted.hash) != keys.hash_type:
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        self.check_select(request, index)
        self.allow(caller, "Query", table, index, keys=[{keys.hash: wanted.hash}])
        view = [entry for entry in table.partition(index, wanted.hash) if wanted.matches(entry.item)]
        forward = request.get("ScanIndexForward") is not False
        view = view if forward else view[::-1]
        if request.get("ExclusiveStartKey") is not None:
            key = self.start_key(table, index, request)
            if not equal(key[keys.hash], wanted.hash):
                raise invalid("The provided starting key is outside query boundaries based on provided conditions")
            order = table.order_of(key, index)
            view = [entry for entry in view if (entry.order > order if forward else entry.order < order)]
        return self.page(request, table, index, view, holds, paths)

    # --- what they share ---

    def table(self, name: str, message: str = "Requested resource not found") -> Table:
        short = name.rpartition("/")[2] if name.startswith("arn:") else name
        if len(short) < 3:
            raise invalid("TableName must be at least 3 characters long and at most 255 characters long")
        found = self.tables.get(short)
        if found is None or (name != short and name != found.arn):
            raise Problem("ResourceNotFoundException", message.format(short))
        return found

    def table_and_index(self, request: dict) -> tuple[Table, Index | None]:
        table = self.table(request["TableName"])
        name = request.get("IndexName")
        if name is None:
            return table, None
        if name not in table.indexes:
            raise invalid(f"The table does not have the specified index: {name}")
        index = table.indexes[name]
        if index.is_global and request.get("ConsistentRead"):
            raise invalid("Consistent reads are not supported on global secondary indexes")
        return table, index

    def allow(self, caller: Caller, name: str, table: Table, index: Index | None = None, keys: list[Item] = ()) -> None:
        """AccessDeniedException unless the caller's session policy allows the call."""
        identity = caller.identity
        resource = table.arn if index is None else f"{table.arn}/index/{index.name}"
        hash_name = table.keys_of(index).hash
        leading = [key[hash_name].get("S", "") for key in keys if hash_name in key]
        if identity is not None and not allows(identity.policy, f"dynamodb:{name}", resource, leading):
            raise Problem(
                "AccessDeniedException",
                f"User: {identity.arn} is not authorized to perform: dynamodb:{name} on resource: {resource} "
                f"because no session policy allows the dynamodb:{name} action",
            )

    def key(self, table: Table, key: Item) -> tuple:
        for value in key.values():
            check_value(value)
        return table.key_of(key, exact=True)

    def start_key(self, table: Table, index: Index | None, request: dict) -> Item:
        key = request["ExclusiveStartKey"]
        for value in key.values():
            check_value(value)
        types = {**table.keys_of(index).types, **table.keys.types}
        if {name: kind_of(value) for name, value in key.items()} != types:
            raise invalid("The provided starting key is invalid: The provided key element does not match the schema")
        return key

    def condition(self, request: dict, member: str, names: Names, forbidden: Keys | None = None):
        if request.get(member) is None:
            return None
        test, paths = condition(member, request[member], names)
        for path in paths:
            if forbidden is not None and path[0] in forbidden.types:
                raise invalid(
                    f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {path[0]}"
                )
        return test

    def paths(self, request: dict, names: Names) -> list[Path] | None:
        if request.get("ProjectionExpression") is None:
            return None
        return projection(request["ProjectionExpression"], names)

    def check_select(self, request: dict, index: Index | None) -> None:
        select, has_projection = request.get("Select"), request.get("ProjectionExpression") is not None
        if has_projection and select not in (None, "SPECIFIC_ATTRIBUTES"):
            raise invalid(f"Cannot specify the ProjectionExpression when choosing to get {select}")
        if select == "SPECIFIC_ATTRIBUTES" and not has_projection:
            raise invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
            )
        if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
            raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
        if select == "ALL_ATTRIBUTES" and index is not None and index.is_global and index.attributes is not None:
            raise invalid(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
                f"secondary index {index.name} because its projection type is not ALL"
            )

    def page(self, request: dict, table: Table, index: Index | None, view: list[Entry], holds, paths) -> dict:
        """One page: it ends at Limit items or page_bytes, counted before the filter."""
        limit = request.get("Limit") or len(view) + 1
        items, evaluated, size, last = [], 0, 0, None
        for entry in view:
            if evaluated and size + entry.size > table.page_bytes:
                break
            size += entry.size
            evaluated += 1
            last = entry
            if holds is None or holds(entry.item):
                items.append(projected(entry.item, paths))
            if evaluated == limit or size >= table.page_bytes:
                break
        result: dict[str, Any] = {"Count": len(items), "ScannedCount": evaluated}
        if request.get("Select") != "COUNT":
            result["Items"] = items
        stopped = evaluated < len(view) or evaluated == limit or size >= table.page_bytes
        if last is not None and stopped:
            result["LastEvaluatedKey"] = {name: last.item[name] for name in table.position_names(index)}
        return self.with_capacity(result, request, table.name, self.units(size, request))

    def units(self, size: int, request: dict) -> float:
        """Read capacity: 4 KB units, half of one when eventually consistent."""
        return max(1, -(-size // 4096)) * (1.0 if request.get("ConsistentRead") else 0.5)

    def with_capacity(self, result: dict, request: dict, table: str, units: float) -> dict:
        wish = request.get("ReturnConsumedCapacity", "NONE")
        if wish == "NONE":
            return result
        capacity: dict[str, Any] = {"TableName": table, "CapacityUnits": units}
        if wish == "INDEXES":
            capacity["Table"] = {"CapacityUnits": units}
        return {**result, "ConsumedCapacity": capacity}


