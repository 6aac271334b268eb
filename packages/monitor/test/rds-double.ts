import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { RDSClient } from '@aws-sdk/client-rds'

export interface RdsState {
  status: string
  capacity: { min: number; max: number } | undefined
  /** The writer is the first. */
  instances: string[]
}

/** Answers as the RDS service does by its documentation: the Query protocol, version 2014-10-31. It never ran against AWS. */
export async function startRdsDouble(state: RdsState) {
  const requests: Record<string, string>[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const form = Object.fromEntries(new URLSearchParams(body))
      requests.push(form)
      const { status, xml } = answer(form, state)
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new RDSClient({
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  return {
    client,
    requests,
    close: () => {
      client.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
}

function answer(form: Record<string, string>, state: RdsState): { status: number; xml: string } {
  const action = form.Action ?? ''
  if (form.DBClusterIdentifier !== undefined && form.DBClusterIdentifier !== 'festival') {
    return failure(404, 'DBClusterNotFoundFault', `DBCluster ${form.DBClusterIdentifier} not found.`)
  }
  if (action === 'ModifyDBCluster') {
    if (state.status !== 'available') return failure(400, 'InvalidDBClusterStateFault', 'DBCluster is not available.')
    state.capacity = {
      min: Number(form['ServerlessV2ScalingConfiguration.MinCapacity']),
      max: Number(form['ServerlessV2ScalingConfiguration.MaxCapacity']),
    }
  }
  if (action === 'CreateDBInstance') state.instances.push(form.DBInstanceIdentifier as string)
  if (action === 'DeleteDBInstance') {
    state.instances = state.instances.filter((name) => name !== form.DBInstanceIdentifier)
  }
  const inner =
    action === 'DescribeDBClusters' ? `<DBClusters>${clusterXml(state)}</DBClusters>` : resultXml(action, form, state)
  return {
    status: 200,
    xml: `<${action}Response xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><${action}Result>${inner}</${action}Result><ResponseMetadata><RequestId>b0a3f1c2-0000-4000-8000-000000000000</RequestId></ResponseMetadata></${action}Response>`,
  }
}

function resultXml(action: string, form: Record<string, string>, state: RdsState): string {
  if (action === 'ModifyDBCluster') return clusterXml(state)
  return `<DBInstance><DBInstanceIdentifier>${form.DBInstanceIdentifier}</DBInstanceIdentifier></DBInstance>`
}

function clusterXml({ status, capacity, instances }: RdsState): string {
  const members = instances
    .map(
      (name, at) =>
        `<DBClusterMember><DBInstanceIdentifier>${name}</DBInstanceIdentifier><IsClusterWriter>${at === 0}</IsClusterWriter></DBClusterMember>`,
    )
    .join('')
  const scaling = capacity
    ? `<ServerlessV2ScalingConfiguration><MinCapacity>${capacity.min}</MinCapacity><MaxCapacity>${capacity.max}</MaxCapacity></ServerlessV2ScalingConfiguration>`
    : ''
  return `<DBCluster><DBClusterIdentifier>festival</DBClusterIdentifier><Engine>aurora-postgresql</Engine><Status>${status}</Status>${scaling}<DBClusterMembers>${members}</DBClusterMembers></DBCluster>`
}

function failure(status: number, code: string, message: string): { status: number; xml: string } {
  return {
    status,
    xml: `<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>b0a3f1c2-0000-4000-8000-000000000000</RequestId></ErrorResponse>`,
  }
}
