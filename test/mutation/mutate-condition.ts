import ts from 'typescript';

const { SyntaxKind } = ts;

/** Operators that have an opposite of their own; of the others the whole is negated. */
const OPPOSITES = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
]);

const BOUNDARIES = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
]);

const OTHER_COMPARISONS: ReadonlySet<ts.SyntaxKind> = new Set([
  SyntaxKind.InstanceOfKeyword,
  SyntaxKind.InKeyword,
]);

/** Whether the expression compares two values, so that its own value is true or false. */
export function isComparison(node: ts.Expression): node is ts.BinaryExpression {
  if (!ts.isBinaryExpression(node)) return false;
  const { kind } = node.operatorToken;
  return OPPOSITES.has(kind) || BOUNDARIES.has(kind) || OTHER_COMPARISONS.has(kind);
}

/** The text of the opposite. */
export function negationOf(node: ts.Expression): string {
  if (ts.isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken) {
    return node.operand.getText();
  }
  if (isComparison(node)) {
    const opposite = OPPOSITES.get(node.operatorToken.kind);
    if (opposite !== undefined) return withOperator(node, opposite);
  }
  return `!(${node.getText()})`;
}

/** The text with the equal case on the other side; undefined where there is none. */
export function boundaryOf(node: ts.Expression): string | undefined {
  if (!isComparison(node)) return undefined;
  const operator = BOUNDARIES.get(node.operatorToken.kind);
  return operator === undefined ? undefined : withOperator(node, operator);
}

function withOperator({ left, right }: ts.BinaryExpression, operator: string): string {
  return `${left.getText()} ${operator} ${right.getText()}`;
}
