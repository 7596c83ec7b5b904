"""`vecferry init`: a settings file from the stack's outputs, or one clear reason why not."""

import configparser
import stat

import pytest
from aws_fixture import aws  # noqa: F401
from migration import one_error

from aws.deployment import deploy  # isort: skip

STACK = "BedrockChatStack"


@pytest.fixture
def chat(aws):
    return deploy(aws)


@pytest.fixture
def init(vecferry, aws):
    def run(*options, expect=0, env=None):
        result = vecferry("init", "--stack", STACK, *options, env=aws.environment() | (env or {}))
        assert result.status == expect, result.stdout + result.stderr
        assert aws.refusals() == [] or expect != 0
        return result

    return run


@pytest.fixture
def written(vecferry):
    """The file as another program reads it."""

    def read(name="vecferry.conf"):
        parser = configparser.ConfigParser(interpolation=None)
        with open(vecferry.home / name, encoding="utf-8") as file:
            parser.read_file(file)
        return {section: dict(parser[section]) for section in parser.sections()}

    return read


def test_every_value_comes_from_the_stack(init, written, chat):
    assert STACK in init().stdout
    assert written() == {
        "catalogue": {"file": f"dynamodb:{chat.table.name}"},
        "documents": {"folder": f"s3://{chat.bucket.name}"},
        "new-store": {"url": f"secret:{chat.secret.arn}"},
        "embedder": {"kind": "bedrock", "model": "cohere.embed-multilingual-v3", "region": "eu-west-1"},
        "aws": {"region": "eu-west-1"},
        "ecs": {
            "cluster": chat.cluster.name,
            "task-definition": chat.stack.outputs["EmbeddingTaskDefinitionName9C442847"],
            "container": "Container",
            "subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
            "security-groups": "sg-0123456789abcdef0",
            "table-role": chat.table_role.arn,
        },
    }


def test_the_file_is_private_and_says_what_each_value_means(init, vecferry, chat):
    init()
    path = vecferry.home / "vecferry.conf"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# Settings of vecferry, written by")
    for number, line in enumerate(lines):
        if line and line[0] not in "#[":
            assert lines[number - 1].startswith("# "), line
    assert "secret+key" not in path.read_text() and "password" not in path.read_text().replace("the password of", "")
    assert [call.operation for call in chat.aws.calls()] == ["DescribeStacks", "DescribeTaskDefinition"]


def test_vecferry_takes_what_it_wrote(init, vecferry, aws, database):
    deploy(aws, {"host": "127.0.0.1", "port": database.server.port, "dbname": database.name})
    init()
    made = vecferry("store", "create", "--dry-run", env=aws.environment())
    assert made.status == 0, made.stderr
    assert f'in database "{database.name}" at 127.0.0.1:{database.server.port}' in made.stdout


@pytest.mark.parametrize(
    "members, version",
    [({}, "v1.0 to v1.2.4"), ({"ephemeralStorage": {"sizeInGiB": 100}}, "v1.2.5 to v1.3")],
)
def test_the_version_is_told(init, aws, chat, members, version):
    family = chat.definition["family"]
    aws.ecs.register(family, **members)
    assert f"Bedrock Chat {version}," in init().stdout


def test_the_bucket_of_v1_4_is_in_another_stack(init, chat):
    chat.stack.outputs["DocumentBucketName"] = "bedrockregionresourcesst-useast1documentbucket1234-abcdef"
    assert "Bedrock Chat v1.4," in init().stdout


def test_bedrock_may_be_in_another_region(init, written, aws, chat):
    aws.ecs.register(chat.definition["family"], container_environment=[{"name": "BEDROCK_REGION", "value": "us-west-2"}])
    init()
    assert written()["embedder"]["region"] == "us-west-2"
    assert written()["aws"]["region"] == "eu-west-1"


def test_keys_of_a_fork_are_known_by_their_beginning(init, written, chat):
    outputs = chat.stack.outputs
    outputs["EmbeddingClusterName00000000"] = outputs.pop("EmbeddingClusterNameA6A626C4")
    del outputs["DatabaseConversationTableNameDDF11821"]
    init()
    assert written()["ecs"]["cluster"] == chat.cluster.name
    assert written()["catalogue"]["file"] == f"dynamodb:{chat.table.name}"


# The guide's five, and the rest.
BY_HAND = {
    "--catalogue": ("catalogue", "file", "dynamodb:mine"),
    "--cluster": ("ecs", "cluster", "mine"),
    "--task-definition": ("ecs", "task-definition", "mine:3"),
    "--subnets": ("ecs", "subnets", "subnet-mine"),
    "--security-groups": ("ecs", "security-groups", "sg-mine"),
    "--container": ("ecs", "container", "Mine"),
    "--documents": ("documents", "folder", "s3://mine"),
    "--new-store": ("new-store", "url", "postgresql://me@db/chat"),
    "--table-role": ("ecs", "table-role", "arn:aws:iam::1:role/mine"),
    "--model": ("embedder", "model", "amazon.titan-embed-text-v2:0"),
    "--bedrock-region": ("embedder", "region", "us-east-1"),
}


def test_every_value_can_be_given_by_hand(init, written, aws, chat):
    aws.ecs.register("mine", container="Mine")
    aws.ecs.register("mine", container="Mine")
    aws.ecs.register("mine", container="Mine")
    for key in [key for key in chat.stack.outputs if not key.startswith(("EmbeddingClusterName", "DocumentBucketName"))]:
        del chat.stack.outputs[key]
    init(*[f"{option}={value}" for option, (_, _, value) in BY_HAND.items()])
    for section, key, value in BY_HAND.values():
        assert written()[section][key] == value


def test_a_file_that_is_there_stays_unless_forced(init, vecferry, aws, chat):
    path = vecferry.home / "vecferry.conf"
    path.write_text("[run]\nworkers=7\n")
    path.chmod(0o644)
    refused = init(expect=2)
    assert "is there already" in one_error(refused) and "--force" in refused.stderr
    assert path.read_text() == "[run]\nworkers=7\n"
    assert aws.calls() == []
    init("--output", "other.conf")
    assert path.read_text() == "[run]\nworkers=7\n"
    init("--force")
    assert "[ecs]" in path.read_text() and "workers" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in vecferry.home.iterdir() if file.is_file()) == ["other.conf", "vecferry.conf"]


def test_a_folder_that_is_not_there_is_one_error(init, chat):
    assert 'could not write "nowhere/vecferry.conf"' in one_error(init("-o", "nowhere/vecferry.conf", expect=1))


# --- what is not as it should be ----------------------------------------------------------------


def assert_nothing_written(vecferry):
    assert [path for path in vecferry.home.iterdir() if path.is_file()] == []


def test_a_missing_stack_is_named_with_its_region(vecferry, init):
    refused = init(expect=3)
    assert f'could not read the stack "{STACK}"' in one_error(refused)
    assert "region eu-west-1" in refused.stderr
    assert_nothing_written(vecferry)


def test_missing_outputs_are_named_with_the_options_that_would_do(vecferry, init, chat):
    for key in ("EmbeddingTaskSecurityGroupId223DB337", "PrivateSubnetId0", "PrivateSubnetId1", "TableAccessRoleArn"):
        del chat.stack.outputs[key]
    refused = init(expect=3)
    for missing in ("no output EmbeddingTaskSecurityGroupId…", "no output PrivateSubnetId…", "no output TableAccessRoleArn…"):
        assert missing in one_error(refused)
    assert "give by hand --subnets, --security-groups, --table-role" in refused.stderr
    assert_nothing_written(vecferry)


def test_two_outputs_that_begin_alike_are_not_chosen_between(init, chat):
    chat.stack.outputs["EmbeddingClusterNameOfMine"] = "other"
    refused = init(expect=3)
    assert "several outputs EmbeddingClusterName…" in one_error(refused)
    assert "give by hand --cluster" in refused.stderr
    init("--cluster", "other")


def test_a_stack_of_v0_4_tells_what_it_lacks(init, chat):
    for key in [key for key in chat.stack.outputs if key.startswith("Embedding")]:
        del chat.stack.outputs[key]
    refused = init(expect=3)
    assert "Bedrock Chat v0.4" in one_error(refused)
    assert "--cluster, --task-definition, --security-groups" in refused.stderr


@pytest.mark.parametrize(
    "outputs, words",
    [
        ({}, "none of the outputs of Bedrock Chat"),
        ({"BucketURL": "x"}, "none of the outputs of Bedrock Chat"),
        ({"DocumentBucketName": "x", "ConversationTableName": "y"}, "is Bedrock Chat v2"),
        ({"ConversationTableNameV3": "x", "BotTableNameV3": "y", "DocumentBucketName": "z"}, "is Bedrock Chat v3"),
    ],
)
def test_another_stack_is_refused(vecferry, init, aws, outputs, words):
    aws.cloudformation.create_stack(STACK, outputs)
    assert words in one_error(init(expect=3))
    assert_nothing_written(vecferry)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_does_not_stand_is_refused(vecferry, init, chat, status):
    chat.stack.status = status
    refused = init(expect=3)
    assert f"it is {status}" in one_error(refused)
    assert "drop the table items" in refused.stderr
    assert_nothing_written(vecferry)


def test_a_missing_task_definition_is_named(vecferry, init, aws, chat):
    aws.ecs.definitions.clear()
    assert 'could not read the task definition "BedrockChatStackEmbedding' in one_error(init(expect=3))
    assert_nothing_written(vecferry)


def test_a_task_definition_that_may_not_be_read_is_a_note(init, written, aws, chat):
    aws.deny("ecs", "DescribeTaskDefinition")
    result = init()
    assert "note: the task definition may not be read (ecs:DescribeTaskDefinition)" in result.stderr
    assert "Bedrock Chat v1," in result.stdout
    assert written()["embedder"]["region"] == "eu-west-1"


def test_a_denied_call_is_one_error(vecferry, init, aws, chat):
    aws.deny("cloudformation", "DescribeStacks")
    assert "cloudformation:DescribeStacks" in one_error(init(expect=1))
    assert_nothing_written(vecferry)


def test_no_credentials_no_region_no_stack(vecferry, aws, chat):
    nobody = {name: value for name, value in aws.environment().items() if "KEY" not in name}
    assert vecferry("init", "--stack", STACK, env=nobody).status in (1, 2)
    nowhere = {name: value for name, value in aws.environment().items() if name != "AWS_REGION"}
    refused = vecferry("init", "--stack", STACK, env=nowhere)
    assert refused.status == 2 and "region" in one_error(refused)
    refused = vecferry("init", env=aws.environment())
    assert refused.status == 2 and "--stack is missing" in one_error(refused)
    assert_nothing_written(vecferry)
