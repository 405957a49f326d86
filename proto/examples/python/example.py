"""Keeps a copy of a portfolio's projects: creates some, shows a refusal, lists them, then watches.

The file holds the copy with its cursor. A second run sends the same request ids, so it creates nothing, and
watches on. It ends when the copy holds the change that it makes itself; a real subscriber would go on.
"""
import json
import os
import sys
import time
import uuid
from pathlib import Path

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from milepost.notifier.v1 import event_service_pb2, event_service_pb2_grpc
from milepost.registry.v1 import portfolio_pb2, portfolio_pb2_grpc, project_pb2, project_pb2_grpc

PORTFOLIO = "portfolios/example-python"
OFFICE = {"display_name": "示例", "time_zone": "Asia/Shanghai", "reporting_currency_code": "CNY"}
PROJECTS = {"avenue": "科学大道", "school": "小学", "substation": "变电站"}
PRINCIPAL = [("x-milepost-principal", "example-python")]
UNARY = {"metadata": PRINCIPAL, "timeout": 10}


def read_refusal(error):
    """The reason, for programs, and every violation, for people."""
    reason, violations = "", []
    for detail in getattr(rpc_status.from_call(error), "details", []):
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(request):
            violations += [f"{fault.field}: {fault.description}" for fault in request.field_violations]
    return reason, violations


def list_projects(projects, **fields):
    """All that match, over all pages: a page may be empty and still have a next one."""
    token = None
    while token != "":
        request = project_pb2.ListProjectsRequest(parent=PORTFOLIO, page_token=token, **fields)
        page = projects.ListProjects(request, **UNARY)
        yield from page.projects
        token = page.next_page_token


def make_copy(projects, events):
    # The cursor first: what changes while the list is read then comes as an event.
    cursor = events.GetLogInfo(event_service_pb2.GetLogInfoRequest(), **UNARY).latest_cursor
    found = list_projects(projects, show_deleted=True)
    return {"cursor": cursor, "projects": {project.name: MessageToDict(project) for project in found}}


def watch(projects, events, copy):
    """Applies events to the copy, without end, and yields it whenever it is to be kept."""
    selection = event_service_pb2.EventSelection(resource=PORTFOLIO, types=["milepost.project.*"])
    while True:
        request = event_service_pb2.WatchEventsRequest(after_cursor=copy["cursor"], selection=selection)
        try:
            for response in events.WatchEvents(request, metadata=PRINCIPAL):
                if response.HasField("source_reset"):
                    print(f"{response.source_reset.source} was restored: listing again")
                    copy = make_copy(projects, events)
                for event in response.events:
                    project = event.project_resource
                    known = copy["projects"].get(project.name)
                    if not known or int(project.etag) >= int(known["etag"]):  # otherwise the list was newer
                        copy["projects"][project.name] = MessageToDict(project)
                        print(f"{event.type} {project.name}")
                copy["cursor"] = response.cursor
                yield copy
        except grpc.RpcError as error:
            reason, _ = read_refusal(error)
            if reason.startswith("CURSOR_") or reason == "LOG_DIVERGED":
                print(f"{reason}: listing again")
                copy = make_copy(projects, events)
                yield copy
            elif error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
        time.sleep(1)  # a planned end, a restart or a lost connection: go on after the last cursor


def main(address, file):
    # The ping finds a connection that was lost in silence.
    channel = grpc.insecure_channel(address, [("grpc.keepalive_time_ms", 30_000)])
    portfolios = portfolio_pb2_grpc.PortfolioServiceStub(channel)
    projects = project_pb2_grpc.ProjectServiceStub(channel)
    events = event_service_pb2_grpc.EventServiceStub(channel)
    portfolios.CreatePortfolio(portfolio_pb2.CreatePortfolioRequest(
        portfolio_id="example-python", portfolio=OFFICE, request_id="create-portfolio"), **UNARY)
    for id, name in PROJECTS.items():
        request = project_pb2.CreateProjectRequest(
            parent=PORTFOLIO, project_id=id, project={"display_name": name}, request_id=f"create-{id}")
        project = projects.CreateProject(request, **UNARY).project
        print(f"created {project.name} {project.display_name}")
    faulty = project_pb2.CreateProjectRequest(parent=PORTFOLIO, project_id="No id", project={})
    try:
        projects.CreateProject(faulty, **UNARY)
    except grpc.RpcError as error:
        reason, violations = read_refusal(error)
        print(f"refused: {reason}", *violations, sep="\n  ")
    for project in list_projects(projects, filter="display_name:道 OR display_name:站", page_size=1):
        print(f"found {project.name}")

    copy = json.loads(Path(file).read_text()) if Path(file).exists() else make_copy(projects, events)
    own = projects.UpdateProject(project_pb2.UpdateProjectRequest(
        project={"name": f"{PORTFOLIO}/projects/avenue", "purpose": f"run {uuid.uuid4()}"},
        update_mask={"paths": ["purpose"]}, request_id=str(uuid.uuid4())), **UNARY).project
    for copy in watch(projects, events, copy):
        Path(file + ".new").write_text(json.dumps(copy))
        os.replace(file + ".new", file)  # the copy and its cursor together, or neither
        if int(copy["projects"][own.name]["etag"]) >= int(own.etag):
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
