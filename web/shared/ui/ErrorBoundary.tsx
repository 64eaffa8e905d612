/** Catches what a part of the page throws while it is drawn, so that the rest goes on. */
import * as React from "react";

export interface ErrorBoundaryProps {
  /** Drawn instead of the children; `reset` tries them again. */
  fallback(error: Error, reset: () => void): React.ReactNode;
  /** Called once for each error, for logs. */
  onError?(error: Error): void;
  /** A change of this key tries the children again: another view, another item, new data. */
  resetKey?: unknown;
  children?: React.ReactNode;
}

interface State {
  error: Error | undefined;
  resetKey: unknown;
}

export class ErrorBoundary extends React.Component<ErrorBoundaryProps, State> {
  override state: State = { error: undefined, resetKey: this.props.resetKey };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps(props: ErrorBoundaryProps, state: State): Partial<State> | null {
    return props.resetKey === state.resetKey ? null : { error: undefined, resetKey: props.resetKey };
  }

  override componentDidCatch(error: Error): void {
    this.props.onError?.(error);
  }

  private readonly reset = () => this.setState({ error: undefined });

  override render(): React.ReactNode {
    const { error } = this.state;
    return error ? this.props.fallback(error, this.reset) : this.props.children;
  }
}
