import ts from 'typescript';
import type { Mutant, MutantKind } from './mutant.ts';
import { boundaryOf, isComparison, negationOf } from './mutate-condition.ts';

/**
 * Every condition of a source text, with each way to change it: first all negations, then all
 * boundaries. A condition is
 *
 *     what `if`, `while`, `do`, `for` and `? :` look at    operands of && and || one by one
 *     what a function returns that is declared boolean     the same
 *     a comparison, a `!`, a comparison of buffers         wherever it stands
 */
export function findConditions(text: string, file: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const operands = new Set<ts.Expression>();
  const visit = (node: ts.Node): void => {
    const condition = conditionIn(node);
    if (condition !== undefined) for (const operand of operandsOf(condition)) operands.add(operand);
    if (ts.isExpression(node) && saysYesOrNo(node)) {
      for (const operand of operandsOf(node)) operands.add(operand);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);

  const mutants: Mutant[] = [];
  for (const operand of operands) mutants.push(mutant(source, operand, 'negated'));
  for (const operand of operands) {
    if (boundaryOf(operand) !== undefined) mutants.push(mutant(source, operand, 'boundary'));
  }
  return mutants;
}

/** The part of a statement or expression that decides, or is returned as a decision. */
function conditionIn(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) {
    return node.expression;
  }
  if (ts.isConditionalExpression(node) || ts.isForStatement(node)) return node.condition;
  if (ts.isReturnStatement(node)) return returnsBoolean(node) ? node.expression : undefined;
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
    return isBooleanType(node.type) ? node.body : undefined;
  }
  return undefined;
}

function returnsBoolean(node: ts.Node): boolean {
  const owner = ts.findAncestor(node, ts.isFunctionLike);
  return isBooleanType(owner?.type);
}

function isBooleanType(type: ts.TypeNode | undefined): boolean {
  if (type === undefined) return false;
  return type.kind === ts.SyntaxKind.BooleanKeyword || ts.isTypePredicateNode(type);
}

function saysYesOrNo(node: ts.Expression): boolean {
  return isComparison(node) || isNot(node) || isBufferComparison(node);
}

function isBufferComparison(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && /(^|\.)(timingSafeEqual|equals)$/.test(calledName(node));
}

function calledName({ expression }: ts.CallExpression): string {
  return ts.isPropertyAccessExpression(expression)
    ? `.${expression.name.text}`
    : expression.getText();
}

/** The operands of a condition that decide each by itself; constants decide nothing. */
function operandsOf(condition: ts.Expression): ts.Expression[] {
  if (ts.isParenthesizedExpression(condition)) return operandsOf(condition.expression);
  if (isAndOr(condition)) return [condition.left, condition.right].flatMap(operandsOf);
  if (isNot(condition) && isCompound(condition.operand)) return operandsOf(condition.operand);
  return isConstant(condition) ? [] : [condition];
}

function isCompound(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isCompound(node.expression);
  return isAndOr(node) || saysYesOrNo(node);
}

function isConstant({ kind }: ts.Expression): boolean {
  return kind === ts.SyntaxKind.TrueKeyword || kind === ts.SyntaxKind.FalseKeyword;
}

function isAndOr(node: ts.Node): node is ts.BinaryExpression {
  if (!ts.isBinaryExpression(node)) return false;
  const { kind } = node.operatorToken;
  return kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken;
}

function isNot(node: ts.Node): node is ts.PrefixUnaryExpression {
  return ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken;
}

function mutant(source: ts.SourceFile, operand: ts.Expression, kind: MutantKind): Mutant {
  const replacement =
    (kind === 'boundary' ? boundaryOf(operand) : undefined) ?? negationOf(operand);
  const start = operand.getStart();
  const end = operand.getEnd();
  const whole = wholeOf(operand);
  const before = source.text.slice(whole.getStart(), start);
  const after = source.text.slice(end, whole.getEnd());
  const { line, character } = source.getLineAndCharacterOfPosition(start);
  return {
    file: source.fileName,
    kind,
    line: line + 1,
    column: character + 1,
    original: oneLine(whole.getText()),
    mutated: oneLine(before + replacement + after),
    start,
    end,
    replacement,
  };
}

/** The condition that `operand` is a part of. */
function wholeOf(operand: ts.Expression): ts.Node {
  let whole: ts.Node = operand;
  while (
    ts.isParenthesizedExpression(whole.parent) ||
    isAndOr(whole.parent) ||
    isNot(whole.parent)
  ) {
    whole = whole.parent;
  }
  return whole;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
