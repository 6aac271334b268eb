import type {
  AndNode,
  BinaryOperationNode,
  OperationNode,
  OperatorNode,
  OrNode,
  RawNode,
  UnaryOperationNode,
} from 'kysely'
import type { Token } from '../raw/lexer.ts'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'

/** How tightly the operators on both sides of a node's text bind; Kysely writes no parentheses. */
export interface Beside {
  readonly left: number
  readonly right: number
}

/** Between parentheses, commas or keywords. */
export const closed: Beside = Object.freeze({ left: -1, right: -1 })

/** True when the text of a node is one expression beside these operators, as the tree says. Operators group from the left. */
export function standsAlone(node: OperationNode, beside: Beside): boolean {
  const own = precedenceOf(node)
  return own > beside.left && own >= beside.right
}

/** What stands beside a child of a node. */
export function besideChild(child: OperationNode, parent: OperationNode, beside: Beside): Beside {
  const own = precedenceOf(parent)
  switch (parent.kind) {
    case 'BinaryOperationNode': {
      const { leftOperand, rightOperand } = parent as BinaryOperationNode
      return operandOf(child, leftOperand, rightOperand, own, beside)
    }
    case 'AndNode':
    case 'OrNode': {
      const { left, right } = parent as AndNode | OrNode
      return operandOf(child, left, right, own, beside)
    }
    case 'UnaryOperationNode':
      return { left: own, right: beside.right }
    default:
      return closed
  }
}

function operandOf(
  child: OperationNode,
  left: OperationNode,
  right: OperationNode,
  own: number,
  beside: Beside,
): Beside {
  // One node may be both.
  if (left === right) return { left: Math.max(beside.left, own), right: Math.max(beside.right, own) }
  return child === left ? { left: beside.left, right: own } : { left: own, right: beside.right }
}

const tightest = 10
/** Of a sign, as in `-x`. */
const sign = 9
const otherOperator = 5
const unknown = 0

/** PostgreSQL's table, from the loosest. */
const levels: readonly (readonly [precedence: number, operators: readonly string[]])[] = [
  [1, ['or']],
  [1.5, ['and']],
  [2, ['not']],
  [2.5, ['is', 'is not', 'is distinct from', 'is not distinct from']],
  [3, ['<', '>', '=', '==', '<=', '>=', '<>', '!=']],
  [4, ['between', 'between symmetric', 'in', 'not in', 'like', 'not like', 'ilike', 'not ilike', 'similar to']],
  [6, ['+', '-']],
  [7, ['*', '/', '%']],
  [8, ['^']],
]
const precedences: ReadonlyMap<string, number> = new Map(
  levels.flatMap(([precedence, operators]) => operators.map((operator) => [operator, precedence] as const)),
)

function precedenceOf(node: OperationNode): number {
  const bare = unwrapRaw(node)
  switch (bare.kind) {
    case 'OrNode':
      return 1
    case 'AndNode':
      return 1.5
    case 'BinaryOperationNode':
      return ofOperator((bare as BinaryOperationNode).operator)
    case 'UnaryOperationNode':
      return ofUnary((bare as UnaryOperationNode).operator)
    case 'JSONReferenceNode':
      return otherOperator
    case 'RawNode':
      return ofRaw(bare as RawNode)
    default:
      return tightest
  }
}

function ofOperator(node: OperationNode): number {
  if (node.kind !== 'OperatorNode') return unknown
  const { operator } = node as OperatorNode
  return precedences.get(operator) ?? (/^[a-z]/.test(operator) ? unknown : otherOperator)
}

function ofUnary(node: OperationNode): number {
  const operator = node.kind === 'OperatorNode' ? (node as OperatorNode).operator : ''
  if (operator === 'exists' || operator === 'not exists') return tightest
  if (operator === '-' || operator === '+') return sign
  return operator === 'not' ? 2 : unknown
}

/** The loosest operator outside parentheses; a word that is none of them may be anything. */
function ofRaw(node: RawNode): number {
  const { tokens } = understandRaw(node)
  return tokens.length === 0 ? unknown : precedenceOfTokens(tokens, 0)
}

/** Of the loosest operator at a depth. */
export function precedenceOfTokens(tokens: readonly Token[], depth: number): number {
  return Math.min(
    ...tokens.map((token, at) => {
      const type = tokens[at - 1]?.text === '::'
      return token.depth > depth || type ? tightest : ofToken(token, tokens[at + 1])
    }),
  )
}

const closing = new Set(['(', '[', ')', ']', ',', 'case', 'when', 'then', 'else', 'end', 'by'])
/** Go on with the name of a type. */
const ofTypes = new Set(['with', 'without', 'precision', 'varying'])

/** How tightly the token after a part binds it; `undefined` when no part can end there. */
export function precedenceAfter(tokens: readonly Token[], at: number): number | undefined {
  const token = tokens[at]
  if (!token || (token.kind !== 'string' && closing.has(token.text))) return closed.right
  if (token.text === '::') return tightest
  if (token.kind === 'symbol') return token.text === '.' ? undefined : (precedences.get(token.text) ?? otherOperator)
  if (token.kind !== 'word' || ofTypes.has(token.text)) return undefined
  // COLLATE, AT TIME ZONE and the like take the nearest operand.
  return precedences.get(token.text) ?? sign
}

/** How tightly the token before a part binds it; `undefined` when no part can begin there. */
export function precedenceBefore(tokens: readonly Token[], at: number): number | undefined {
  const own = precedenceAfter(tokens, at)
  const text = tokens[at]?.text
  if (text !== '-' && text !== '+') return own
  const before = tokens[at - 1]
  const isSign =
    !before || (before.text !== ')' && before.text !== ']' && precedenceAfter(tokens, at - 1) !== undefined)
  return isSign ? sign : own
}

function ofToken({ kind, text }: Token, next: Token | undefined): number {
  if (kind === 'symbol') {
    if (['(', ')', '[', ']', '.', '::'].includes(text)) return tightest
    return text === ',' ? unknown : (precedences.get(text) ?? otherOperator)
  }
  if (kind !== 'word') return tightest
  // `lower(x)` is a name, `in (x)` an operator.
  return precedences.get(text) ?? (next?.text === '(' ? tightest : unknown)
}
