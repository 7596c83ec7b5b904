"""Service Quotas: applied and default values."""

from __future__ import annotations

from aws import protocols
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import structure, text

CODE = r"[a-zA-Z][a-zA-Z0-9-]*"
WANTED = structure({"ServiceCode": text(1, 63, CODE), "QuotaCode": text(1, 128, CODE)})


class ServiceQuotas(Service):
    """`applied` and `defaults` are values by (service code, quota code)."""

    name = "servicequotas"
    signing_name = "servicequotas"
    protocol = protocols.Json("1.1", "ServiceQuotasV20190624")
    broken_code = "IllegalArgumentException"

    def __init__(self, aws):
        super().__init__(aws)
        self.applied: dict[tuple[str, str], float] = {("fargate", "L-3032A538"): 6.0, ("fargate", "L-36FBB829"): 6.0}
        self.defaults: dict[tuple[str, str], float] = {
            **self.applied,
            ("bedrock", "L-9E5BD0C6"): 2000.0,
            ("bedrock", "L-C2F86908"): 300_000.0,
        }

    @operation("GetServiceQuota", WANTED)
    def get_service_quota(self, request: dict, caller: Caller) -> dict:
        return self.quota(request, self.applied)

    @operation("GetAWSDefaultServiceQuota", WANTED)
    def get_aws_default_service_quota(self, request: dict, caller: Caller) -> dict:
        return self.quota(request, self.defaults)

    def quota(self, request: dict, values: dict[tuple[str, str], float]) -> dict:
        service, code = request["ServiceCode"], request["QuotaCode"]
        if (service, code) not in values:
            raise Problem(
                "NoSuchResourceException",
                "The request failed because the specified quota is not found: "
                f"service quota does not exist for this service or quota code {code}",
            )
        return {
            "Quota": {
                "ServiceCode": service,
                "QuotaArn": f"arn:aws:servicequotas:{self.region}:{self.aws.account}:{service}/{code}",
                "QuotaCode": code,
                "Value": values[service, code],
                "Unit": "None",
                "Adjustable": True,
                "GlobalQuota": False,
            }
        }
