"""A client that knows nothing of Milepost but its address: it learns the API by reflection.

It creates a portfolio and a project, lists the project, and watches until it hears of it. Prints one JSON
object with what it saw. Needs grpcio, grpcio-reflection and protobuf; no generated stubs.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main(target):
    channel = grpc.insecure_channel(target)
    reflection = ProtoReflectionDescriptorDatabase(channel)
    services = sorted(reflection.get_services())
    pool = descriptor_pool.DescriptorPool(reflection)

    def method(service, name):
        found = pool.FindServiceByName(service).methods_by_name[name]
        request = message_factory.GetMessageClass(found.input_type)
        reply = message_factory.GetMessageClass(found.output_type)
        kind = channel.unary_stream if found.server_streaming else channel.unary_unary
        call = kind(f"/{service}/{name}", request.SerializeToString, reply.FromString)
        return lambda timeout, **fields: call(request(**fields), timeout=timeout)

    portfolio = method("milepost.registry.v1.PortfolioService", "CreatePortfolio")(
        10,
        portfolio_id="foreign",
        portfolio={"display_name": "外来", "time_zone": "Asia/Shanghai", "reporting_currency_code": "CNY"},
    )
    project = method("milepost.registry.v1.ProjectService", "CreateProject")(
        10,
        parent=portfolio.portfolio.name,
        project_id="avenue",
        project={"display_name": "科学大道", "planned_period": {"start_date": {"year": 2021, "month": 9, "day": 1}}},
    )
    listed = method("milepost.registry.v1.ProjectService", "ListProjects")(
        10, parent=portfolio.portfolio.name, filter='display_name = "科学大道"', min_revisions=[project.revision]
    )

    try:
        method("milepost.registry.v1.ProjectService", "CreateProject")(10, parent="nonsense")
        refusal = None
    except grpc.RpcError as error:
        refusal = error.code().name

    watched = None
    stream = method("milepost.notifier.v1.EventService", "WatchEvents")(
        30, selection={"resource": project.project.name}
    )
    for response in stream:
        if response.events:
            watched = response.events[0]
            stream.cancel()
            break

    print(
        json.dumps(
            {
                "services": services,
                "listed": [json_format.MessageToDict(found) for found in listed.projects],
                "refusal": refusal,
                "watched": json_format.MessageToDict(watched),
            },
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
